use std::sync::Arc;

use proptest::prelude::*;

use super::*;
use crate::check::{Cause, Check, Context, Info, Stage};
use crate::diagnostic::{Located, SourceFile, Span};
use crate::judge::{Judged, Rule, Sample};
use crate::measurement::{InitialAsk, Inputs, Measurement, OverfitAsk, TraceAsk};
use crate::spec::property::Settings;
use crate::spec::{Subject, data, loss, model, run};
use crate::suite::{BoundSpec, Property};

/// A check that asks for what it is told to.
#[derive(Debug)]
struct Asks(Vec<Request>);

static INFO: Info = Info {
    id: "asks",
    stage: Stage::Control,
    rule: Rule::Each,
    takes_band: false,
    narrows: &[],
    trains: false,
    causes: &[],
};

impl Check for Asks {
    fn info(&self) -> &'static Info {
        &INFO
    }
    fn needs(&self, _subject: &Subject) -> Vec<Request> {
        self.0.clone()
    }
    fn sample(&self, _context: &Context<'_>, _taken: &[Measurement]) -> Sample {
        Sample::Seen(Vec::new())
    }
    fn quantity(&self) -> &'static str {
        "nothing"
    }
    fn diagnose(&self, _context: &Context<'_>, _judged: &Judged, _taken: &[Vec<Measurement>]) -> Vec<Cause> {
        Vec::new()
    }
}

fn initial(rows: usize) -> Request {
    Request::Initial(InitialAsk { rows, share: crate::measurement::Share::Training })
}

fn overfit(points: usize) -> Request {
    Request::Overfit(OverfitAsk { points, loss: 0.01, max_steps: 100 })
}

fn trace(inputs: Inputs, steps: usize, watched: usize) -> Request {
    Request::Trace(TraceAsk { inputs, steps, watched })
}

fn subject() -> Subject {
    let made_up = data::Synthetic { inputs: vec![2], classes: Some(2), examples: 8, ..data::Synthetic::default() };
    Subject {
        model: model::Model { source: model::ModelSource::Layers(Vec::new()), weights: None, frozen: Vec::new() },
        data: data::Data {
            batch: 8,
            split: data::Split { at: 1.0, file_order: false },
            ..data::Data::of(data::DataSource::Synthetic(Located::new(made_up, 0..0)))
        },
        loss: loss::Loss::of(loss::LossKind::CrossEntropy),
        optimizer: None,
        train: crate::spec::train::Train::default(),
        dtype: run::Dtype::Float32,
        device: run::Device::Cpu,
        threads: 1,
        memory: 1 << 32,
        timeout_ms: 60_000,
    }
}

/// A suite with the requests of each property of each spec.
fn suite(specs: &[&[&[Request]]]) -> Suite {
    let spec = |(index, properties): (usize, &&[&[Request]])| BoundSpec {
        file: Arc::new(SourceFile::new("a.toml", "a.toml", String::new())),
        name: format!("s{index}"),
        subject: Arc::new(subject()),
        rung: None,
        variants: Vec::new(),
        settled: Vec::new(),
        run: run::Run::default(),
        properties: properties
            .iter()
            .enumerate()
            .map(|(i, asks)| Property {
                name: format!("p{i}"),
                span: Span::default(),
                check: Arc::new(Asks(asks.to_vec())),
                settings: Settings::default(),
                variant: 0,
            })
            .collect(),
    };
    Suite { specs: specs.iter().enumerate().map(spec).collect() }
}

fn all(suite: &Suite, seeds: Range<u64>) -> Vec<(PropertyId, Range<u64>)> {
    suite.ids().map(|id| (id, seeds.clone())).collect()
}

fn job(spec: usize, seed: u64, request: Request, parts: &[Request]) -> Job {
    Job { spec, variant: 0, seed, request, parts: parts.to_vec() }
}

#[test]
fn equal_requests_of_several_properties_are_one_job() {
    let suite = suite(&[&[&[initial(64)], &[overfit(2), initial(64)], &[initial(32)]]]);
    let expected = [
        job(0, 3, initial(64), &[initial(64)]),
        job(0, 3, overfit(2), &[overfit(2)]),
        job(0, 3, initial(32), &[initial(32)]),
    ];
    assert_eq!(plan(&suite, &all(&suite, 3..4)), expected);
}

#[test]
fn traces_of_the_same_inputs_are_parts_of_the_longest_shortest_first() {
    use Inputs::{Blank, Real};
    let suite = suite(&[&[
        &[trace(Real, 50, 50)],
        &[trace(Real, 200, 0), trace(Blank, 200, 0)],
        &[trace(Real, 20, 5)],
        &[trace(Real, 50, 50)],
    ]]);
    let expected = [
        job(0, 0, trace(Real, 200, 50), &[trace(Real, 20, 5), trace(Real, 50, 50), trace(Real, 200, 0)]),
        job(0, 0, trace(Blank, 200, 0), &[trace(Blank, 200, 0)]),
    ];
    assert_eq!(plan(&suite, &all(&suite, 0..1)), expected);
}

#[test]
fn each_spec_and_each_seed_has_jobs_of_its_own() {
    let suite = suite(&[&[&[initial(8)]], &[&[initial(8)]]]);
    let jobs = plan(&suite, &all(&suite, 0..2));
    let addresses: Vec<(usize, u64)> = jobs.iter().map(|job| (job.spec, job.seed)).collect();
    assert_eq!(addresses, [(0, 0), (0, 1), (1, 0), (1, 1)]);
}

#[test]
fn only_what_is_wanted_is_planned() {
    let suite = suite(&[&[&[initial(8)], &[overfit(2)]]]);
    let second = PropertyId { spec: 0, property: 1 };
    assert_eq!(plan(&suite, &[(second, 5..6)]), [job(0, 5, overfit(2), &[overfit(2)])]);
    assert!(plan(&suite, &[(second, 5..5)]).is_empty());
}

fn any_request() -> impl Strategy<Value = Request> {
    prop_oneof![
        (0_usize..3).prop_map(initial),
        (0_usize..3).prop_map(overfit),
        (any::<bool>(), 0_usize..5, 0_usize..5).prop_map(|(blank, steps, watched)| {
            trace(if blank { Inputs::Blank } else { Inputs::Real }, steps, watched)
        }),
    ]
}

proptest! {
    #[test]
    fn every_request_is_a_part_of_exactly_one_job_that_covers_it(requests in prop::collection::vec(any_request(), 0..12)) {
        let merged = merge(requests.clone());
        for request in &requests {
            let homes: Vec<_> = merged.iter().filter(|(_, parts)| parts.contains(request)).collect();
            prop_assert_eq!(homes.len(), 1);
            let both = homes[0].0.both(request);
            prop_assert_eq!(both.as_ref(), Some(&homes[0].0));
        }
        let parts: usize = merged.iter().map(|(_, parts)| parts.len()).sum();
        prop_assert!(parts <= requests.len());
        // Nothing is measured further than somebody asked.
        for (whole, parts) in &merged {
            let Request::Trace(whole) = whole else { continue };
            let asks = parts.iter().filter_map(|p| if let Request::Trace(a) = p { Some(a) } else { None });
            prop_assert_eq!(asks.clone().map(|a| a.steps).max(), Some(whole.steps));
            prop_assert_eq!(asks.map(|a| a.watched.min(a.steps)).max(), Some(whole.watched.min(whole.steps)));
        }
    }

    #[test]
    fn the_order_in_which_properties_are_wanted_does_not_matter(
        asks in prop::collection::vec(prop::collection::vec(any_request(), 0..4), 1..5), turn in 0_usize..5,
    ) {
        let properties: Vec<&[Request]> = asks.iter().map(Vec::as_slice).collect();
        let suite = suite(&[&properties]);
        let mut wanted = all(&suite, 0..2);
        let expected = plan(&suite, &wanted);
        let middle = turn % wanted.len();
        wanted.rotate_left(middle);
        prop_assert_eq!(plan(&suite, &wanted), expected);
    }
}
