use std::path::{Path, PathBuf};

use nncheck_core::suite::{Suite, from_texts};

use super::super::{Builder, NoBuilder, Parts, candidates, made_up};
use super::*;
use crate::rust_source::{Input, Network};

fn builder(network: Network) -> Builder {
    Builder { path: "nets::Net::new".into(), place: "src/lib.rs:7".into(), hyper: true, network }
}

fn read(text: &str) -> Suite {
    from_texts(&[("first", text)], &Default::default())
        .unwrap_or_else(|errors| panic!("{text}\n{}", errors.iter().map(ToString::to_string).collect::<String>()))
}

#[test]
fn made_up_data_has_the_shape_of_the_first_layer_and_the_spec_can_be_read() {
    let inputs = [
        (Input::Features(4), Some(3), "synthetic = { inputs = [4], classes = 3,"),
        (Input::Features(4), Some(1), "synthetic = { inputs = [4], targets = 1,"),
        (Input::Images(3), Some(10), "synthetic = { inputs = [3, 32, 32], classes = 10,"),
        (Input::Signals(2), Some(2), "synthetic = { inputs = [2, 64], classes = 2,"),
        (Input::Steps(5), Some(2), "synthetic = { inputs = [16, 5], classes = 2,"),
        (Input::Tokens(65), Some(65), "synthetic = { tokens = 65, length = 16, examples"),
        (Input::Tokens(65), Some(2), "synthetic = { tokens = 65, length = 16, classes = 2,"),
        (Input::Unknown, None, "TODO"),
    ];
    for (input, output, words) in inputs {
        let network = Network { input, output, ..Network::default() };
        for builders in [vec![builder(network.clone())], Vec::new()] {
            let (drafts, _) =
                candidates(&builders, &Parts::default(), None, &[], Path::new("/p/specs"), NoBuilder::NoneInLibrary);
            let spec = text(&drafts[0]);
            assert_eq!(read(&spec).specs.len(), 1);
            assert!(builders.is_empty() || spec.contains(words), "{words}\n{spec}");
            assert_eq!(spec.lines().next(), Some("#:schema ./nncheck.schema.json"));
        }
    }
}

#[test]
fn the_end_of_a_network_decides_the_loss() {
    for (input, output, last, kind) in [
        (4, 3, Some(Activation::LogSoftmax), "nll"),
        (4, 3, Some(Activation::Softmax), "cross_entropy"),
        (4, 1, Some(Activation::Sigmoid), "bce"),
        (4, 1, None, "mse"),
    ] {
        let network = Network { input: Input::Features(input), output: Some(output), last, ..Network::default() };
        let (drafts, _) = candidates(
            &[builder(network)],
            &Parts::default(),
            None,
            &[],
            Path::new("/p/specs"),
            NoBuilder::NoneInLibrary,
        );
        let spec = text(&drafts[0]);
        assert!(spec.contains(&format!("kind = \"{kind}\"")), "{spec}");
        assert_eq!(read(&spec).specs.len(), 1);
    }
}

#[test]
fn every_builder_and_every_part_is_named() {
    let hyper = vec![("width".to_owned(), 16)];
    let network = Network { input: Input::Features(4), output: Some(3), hyper, ..Network::default() };
    let mut other = builder(network.clone());
    other.path = "nets::other".into();
    let parts = Parts {
        data: vec!["nets::load".into()],
        losses: vec!["nets::loss".into()],
        optimizers: vec!["nets::optimizer".into()],
        steps: vec!["nets::step".into()],
        subjects: Vec::new(),
    };
    let (drafts, _) =
        candidates(&[builder(network), other], &parts, None, &[], Path::new("/p/specs"), NoBuilder::NoneInLibrary);
    let spec = text(&drafts[0]);
    for words in [
        "\nbuilder = \"nets::Net::new\"",
        "\n# builder = \"nets::other\"",
        "\n# hyper = { width = 16 }",
        "\nfunction = \"nets::load\"",
        "\n# function = \"nets::loss\"",
        "\n# function = \"nets::optimizer\"",
        "\n# step = \"nets::step\"",
    ] {
        assert!(spec.contains(words), "{words}\n{spec}");
    }
    assert_eq!(read(&spec).specs.len(), 1);
    assert_eq!(drafts[0].name, "net");
}

#[test]
fn data_that_fits_is_taken_before_data_that_may_fit() {
    let folder = tempfile::tempdir().expect("a folder");
    let rows = |k: usize| (0..40).map(|i| format!("{}.5,{}.25,{}\n", i % 7, i % 5, i % k)).collect::<String>();
    std::fs::write(folder.path().join("a.csv"), format!("u,v,k\n{}", rows(4))).expect("written");
    std::fs::write(folder.path().join("b.csv"), format!("u,v,k\n{}", rows(3))).expect("written");
    std::fs::write(folder.path().join("c.csv"), "u;v\n1;2\n").expect("written");
    let files = super::super::files::find(&[folder.path().to_owned()]);
    let network = Network { input: Input::Features(2), output: Some(3), ..Network::default() };
    let specs: PathBuf = folder.path().join("specs");
    let (drafts, passed) =
        candidates(&[builder(network)], &Parts::default(), None, &files, &specs, NoBuilder::NoneInLibrary);
    assert!(text(&drafts[0]).contains("csv = \"../b.csv\""), "{}", text(&drafts[0]));
    assert!(text(&drafts[1]).contains("has 3 outputs, and this data wants 4"), "{}", text(&drafts[1]));
    assert!(passed.len() == 1 && passed[0].contains("c.csv") && passed[0].contains("';'"), "{passed:?}");
    let other = Network { input: Input::Features(9), ..Network::default() };
    let (drafts, passed) =
        candidates(&[builder(other)], &Parts::default(), None, &files, &specs, NoBuilder::NoneInLibrary);
    assert!(matches!(drafts[0].source, Source::Synthetic(_)) && passed.len() == 3, "{passed:?}");
    assert_eq!(made_up(&drafts[0].network).0.shape, [9]);
}
