//! The checks that nncheck knows, one line each.

use std::sync::Arc;

use schemars::{Schema, SchemaGenerator};
use toml::Spanned;
use toml::de::{DeTable, Deserializer, Error};

use super::activation_scale::ActivationScale;
use super::batch_independence::BatchIndependence;
use super::batch_norm::BatchNorm;
use super::batch_size::BatchSize;
use super::beats_baseline::BeatsBaseline;
use super::budget::Budget;
use super::causality::Causality;
use super::checkpoint::Checkpoint;
use super::data::Data;
use super::dead_units::DeadUnits;
use super::determinism::Determinism;
use super::device_parity::DeviceParity;
use super::dropout::Dropout;
use super::finite::Finite;
use super::generalization_gap::GeneralizationGap;
use super::gradient_accumulation::GradientAccumulation;
use super::gradient_check::GradientCheck;
use super::gradient_clipping::GradientClipping;
use super::gradient_flow::GradientFlow;
use super::initial_loss::InitialLoss;
use super::input_dependence::InputDependence;
use super::layer_order::LayerOrder;
use super::learning_rate::LearningRate;
use super::learns::Learns;
use super::loss_function::LossFunction;
use super::loss_task::LossTask;
use super::loss_terms::LossTerms;
use super::lr_schedule::LrSchedule;
use super::metric::Metric;
use super::modes::Modes;
use super::nonlinearity::Nonlinearity;
use super::optimizer::Optimizer;
use super::order_dependence::OrderDependence;
use super::output_contract::OutputContract;
use super::overfit::Overfit;
use super::padding_invariance::PaddingInvariance;
use super::parameters_update::ParametersUpdate;
use super::precision_parity::PrecisionParity;
use super::regression::Regression;
use super::regularization::Regularization;
use super::saturation::Saturation;
use super::update_ratio::UpdateRatio;
use super::value::Value;
use super::weight_init::WeightInit;
use super::weight_scale::WeightScale;
use super::{Check, CheckType, Info};
use crate::spec::property::Level;

/// Every check, in the order of the checklist.
pub const CATALOGUE: &[CatalogueEntry] = &[
    entry::<Overfit>(),
    entry::<Learns>(),
    entry::<BeatsBaseline>(),
    entry::<InitialLoss>(),
    entry::<LossFunction>(),
    entry::<LossTask>(),
    entry::<LossTerms>(),
    entry::<Regularization>(),
    entry::<GradientCheck>(),
    entry::<ParametersUpdate>(),
    entry::<UpdateRatio>(),
    entry::<GradientFlow>(),
    entry::<GradientAccumulation>(),
    entry::<WeightInit>(),
    entry::<WeightScale>(),
    entry::<DeadUnits>(),
    entry::<Saturation>(),
    entry::<ActivationScale>(),
    entry::<Finite>(),
    entry::<BatchIndependence>(),
    entry::<Causality>(),
    entry::<InputDependence>(),
    entry::<Nonlinearity>(),
    entry::<OrderDependence>(),
    entry::<PaddingInvariance>(),
    entry::<Modes>(),
    entry::<Determinism>(),
    entry::<Checkpoint>(),
    entry::<OutputContract>(),
    entry::<DeviceParity>(),
    entry::<PrecisionParity>(),
    entry::<LearningRate>(),
    entry::<LrSchedule>(),
    entry::<BatchSize>(),
    entry::<GradientClipping>(),
    entry::<Optimizer>(),
    entry::<BatchNorm>(),
    entry::<Dropout>(),
    entry::<LayerOrder>(),
    entry::<Data>(),
    entry::<Metric>(),
    entry::<GeneralizationGap>(),
    entry::<Budget>(),
    entry::<Value>(),
    entry::<Regression>(),
];

/// Reads a check's parameters from the table that a spec has for it.
pub type Deserialize = for<'t> fn(Spanned<DeTable<'t>>) -> Result<Arc<dyn Check>, Error>;

/// What the catalogue knows of a check without an instance of it.
#[derive(Clone, Copy, Debug)]
pub struct CatalogueEntry {
    /// What is fixed about it.
    pub info: Info,
    /// How much a failure weighs, where the property does not say.
    pub level: Level,
    /// Reads its parameters.
    pub deserialize: Deserialize,
    /// The schema of its parameters; the doc comments in it are the check's documentation.
    pub schema: fn(&mut SchemaGenerator) -> Schema,
}

const fn entry<T: CheckType>() -> CatalogueEntry {
    CatalogueEntry { info: T::INFO, level: T::LEVEL, deserialize: deserialize::<T>, schema: T::json_schema }
}

fn deserialize<T: CheckType>(table: Spanned<DeTable<'_>>) -> Result<Arc<dyn Check>, Error> {
    Ok(Arc::new(T::deserialize(Deserializer::from(table))?))
}

/// The check of this id.
#[must_use]
pub fn find(id: &str) -> Option<&'static CatalogueEntry> {
    CATALOGUE.iter().find(|entry| entry.info.id == id)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;
    use std::path::Path;

    use super::*;

    /// Files of this folder that are no checks.
    const NOT_CHECKS: [&str; 12] = [
        "mod",
        "parity",
        "catalogue",
        "documentation",
        "entry",
        "evidence",
        "narrow",
        "term",
        "fixture",
        "parameter",
        "schema",
        "units",
    ];

    #[test]
    fn every_file_of_the_folder_is_a_check_of_that_name() {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/check");
        let files: BTreeSet<String> = std::fs::read_dir(folder)
            .unwrap()
            .map(|file| file.unwrap().path())
            .filter(|path| path.extension().is_some_and(|e| e == "rs"))
            .map(|path| path.file_stem().unwrap().to_str().unwrap().to_owned())
            .filter(|stem| !NOT_CHECKS.contains(&stem.as_str()))
            .collect();
        let ids: BTreeSet<String> = CATALOGUE.iter().map(|entry| entry.info.id.to_owned()).collect();
        assert_eq!(files, ids);
    }

    #[test]
    fn no_id_is_named_twice() {
        let mut ids: Vec<&str> = CATALOGUE.iter().map(|e| e.info.id).collect();
        let all = ids.len();
        ids.sort_unstable();
        ids.dedup();
        assert_eq!(ids.len(), all);
    }

    #[test]
    fn every_check_reads_an_empty_table_and_refuses_an_unknown_key() {
        for entry in CATALOGUE {
            let id = entry.info.id;
            let read = |text: &'static str| (entry.deserialize)(DeTable::parse(text).unwrap());
            // Of these, what is to be measured is the user's to say.
            let least = if id == "value" { "function = \"a::b\"" } else { "" };
            assert_eq!(read(least).unwrap().info().id, id);
            assert!(read("no_such_key = 1").is_err(), "{id}");
        }
    }

    #[test]
    fn causes_of_a_check_have_different_ids_and_words() {
        for entry in CATALOGUE {
            let ids: BTreeSet<&str> = entry.info.causes.iter().map(|c| c.id).collect();
            assert_eq!(ids.len(), entry.info.causes.len(), "{}", entry.info.id);
            assert!(entry.info.causes.iter().all(|c| !c.what.is_empty() && !c.cure.is_empty()));
        }
    }
}
