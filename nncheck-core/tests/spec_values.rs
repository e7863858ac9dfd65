//! What a right spec becomes.

use std::fs;
use std::path::Path;

use nncheck_core::spec::data::{DataSource, Normalize, Split};
use nncheck_core::spec::loss::LossKind;
use nncheck_core::spec::model::ModelSource;
use nncheck_core::spec::optimizer::{Adam, Adamw, Clip, OptimizerKind, Rmsprop, Sgd};
use nncheck_core::spec::property::{Allowance, Level};
use nncheck_core::spec::run::{Device, Dtype};
use nncheck_core::spec::tolerance::Tolerance;
use nncheck_core::suite::{BoundSpec, Overrides, Sources, from_texts, load};

#[track_caller]
fn spec(text: &str) -> BoundSpec {
    spec_with(text, &Overrides::default())
}

#[track_caller]
fn spec_with(text: &str, overrides: &Overrides) -> BoundSpec {
    match from_texts(&[("a", text)], overrides) {
        Ok(mut suite) => suite.specs.remove(0),
        Err(errors) => panic!("{}", nncheck_core::diagnostic::render_all(&errors, Default::default())),
    }
}

const LEAST: &str = r#"
[model]
builder = "digits::mlp"
[data]
csv = "digits.csv"
target = "label"
[loss]
kind = "cross_entropy"
[property.initial_loss]
"#;

const MOST: &str = r#"
version = 1
[model]
builder = "digits::models::mlp"
weights = { file = "init.safetensors", ignore = ["x", "y"] }
hyper = { hidden = 32, rates = [0.1, 2], name = "a", deep = { on = true } }
frozen = ["backbone.*"]
[data]
csv = "data/digits.csv"
target = ["a", "b"]
inputs = ["p*", "q"]
shape = [1, 8, 8]
scale = 0.0625
normalize = "standard"
normalize_target = "minmax"
batch = 32
shuffle = false
split = { at = 0.75, order = "file" }
take = 256
[loss]
kind = "huber"
l2 = 1e-4
[optimizer]
kind = "sgd"
lr = 1
momentum = 0.9
nesterov = true
weight_decay = 1e-4
clip = { norm = 1.0 }
[run]
seeds = 3
seed = 7
max_seeds = 12
device = "cuda:1"
dtype = "float64"
threads = 2
timeout = "2m"
memory = "512MiB"
confidence = 0.95
[property.zeta]
check = "initial_loss"
rows = 100
expect = "mean(y)^2 + var(y)"
within = "10%"
level = "warn"
slow = true
seeds = 2
allow = ["param:pos_*", "layer:head", "cause:loss_sum", "bias"]
reason = "it is meant"
[property.finite]
off = "not now"
[property.alpha]
check = "update_ratio"
min = 1e-4
max = 1
"#;

#[test]
fn the_shortest_spec_has_the_documented_defaults() {
    let spec = spec(LEAST);
    let subject = &spec.subject;
    assert_eq!(spec.name, "a");
    let ModelSource::Builder { path, hyper } = &subject.model.source else { panic!() };
    assert_eq!((path.value.as_str(), hyper.as_str()), ("digits::mlp", "null"));
    assert_eq!(&spec.file.text[path.span.start..path.span.end], "\"digits::mlp\"");
    let DataSource::Csv { path, target, inputs } = &subject.data.source else { panic!() };
    assert_eq!(
        (path.value.as_path(), target.value.as_slice()),
        (Path::new("specs/digits.csv"), &["label".to_owned()][..])
    );
    assert!(inputs.is_none() && subject.data.shape.is_none() && subject.data.classes.is_none());
    assert_eq!((subject.data.batch, subject.data.shuffle, subject.data.scale), (64, true, None));
    assert_eq!(subject.data.split, Split { at: 0.8, file_order: false });
    assert!(subject.optimizer.is_none());
    assert_eq!((subject.dtype, subject.device, subject.threads), (Dtype::Float32, Device::Cpu, 1));
    assert_eq!((subject.memory, subject.timeout_ms), (4 << 30, 60_000));
    assert_eq!((spec.run.seeds, spec.run.seed, spec.run.max_seeds, spec.run.confidence), (5, 0, 40, 0.99));
    let property = &spec.properties[0];
    assert_eq!((property.name.as_str(), property.check.info().id), ("initial_loss", "initial_loss"));
    assert_eq!(&spec.file.text[property.span.start..property.span.end], "initial_loss");
    assert_eq!((property.level(), property.settings.slow), (Level::Deny, false));
}

#[test]
fn every_key_is_read() {
    let spec = spec(MOST);
    let subject = &spec.subject;
    let ModelSource::Builder { hyper, .. } = &subject.model.source else { panic!() };
    let hyper: serde_json::Value = serde_json::from_str(hyper).unwrap();
    assert_eq!(hyper, serde_json::json!({ "hidden": 32, "rates": [0.1, 2], "name": "a", "deep": { "on": true } }));
    let weights = subject.model.weights.as_ref().unwrap();
    assert_eq!(weights.file.value, Path::new("specs/init.safetensors"));
    assert_eq!((weights.ignore.len(), subject.model.frozen.len()), (2, 1));
    assert_eq!(subject.model.frozen[0].value, "backbone.*");
    let data = &subject.data;
    let DataSource::Csv { target, inputs, .. } = &data.source else { panic!() };
    assert_eq!(
        (target.value.len(), inputs.as_ref().unwrap().value.as_slice()),
        (2, &["p*".to_owned(), "q".into()][..])
    );
    assert_eq!(data.shape.as_ref().unwrap().value, [1, 8, 8]);
    assert_eq!((data.scale, data.batch, data.shuffle, data.take), (Some(0.0625), 32, false, Some(256)));
    assert_eq!((data.normalize, data.normalize_target), (Some(Normalize::Standard), Some(Normalize::Minmax)));
    assert_eq!(data.split, Split { at: 0.75, file_order: true });
    assert_eq!((subject.loss.kind(), subject.loss.l2), (Some(LossKind::Huber), 1e-4));
    let optimizer = subject.optimizer.as_ref().unwrap();
    let sgd = Sgd { lr: 1.0, momentum: 0.9, dampening: 0.0, nesterov: true, weight_decay: 1e-4, maximize: false };
    let [group] = optimizer.groups() else { panic!() };
    assert_eq!((&group.kind, group.clip), (&OptimizerKind::Sgd(sgd), Some(Clip::Norm(1.0))));
    assert_eq!((subject.dtype, subject.device, subject.threads), (Dtype::Float64, Device::Cuda(1), 2));
    assert_eq!((subject.memory, subject.timeout_ms), (512 << 20, 120_000));
    assert_eq!((spec.run.seeds, spec.run.seed, spec.run.max_seeds, spec.run.confidence), (3, 7, 12, 0.95));
}

#[test]
fn a_subject_survives_the_way_to_another_process() {
    for text in [LEAST, MOST] {
        let subject = spec(text).subject;
        let json = serde_json::to_string(&*subject).unwrap();
        assert_eq!(serde_json::from_str::<nncheck_core::spec::Subject>(&json).unwrap(), *subject);
    }
}

#[test]
fn properties_keep_the_order_of_the_file_and_all_that_they_say() {
    let spec = spec(MOST);
    let names: Vec<_> = spec.properties.iter().map(|p| p.name.as_str()).collect();
    assert_eq!(names, ["zeta", "finite", "alpha"]);
    let [zeta, finite, alpha] = &spec.properties[..] else { panic!() };
    assert_eq!(format!("{:?}", zeta.check), "InitialLoss { rows: 100 }");
    assert_eq!(zeta.settings.expect.as_ref().unwrap().value.as_str(), "mean(y)^2 + var(y)");
    assert_eq!(zeta.settings.within.as_ref().unwrap().value, Tolerance::Percent(10.0));
    assert_eq!((zeta.settings.level, zeta.settings.slow, zeta.settings.seeds), (Some(Level::Warn), true, Some(2)));
    let allow: Vec<_> = zeta.settings.allow.iter().map(|a| a.value.clone()).collect();
    assert_eq!(
        allow,
        [
            Allowance::Parameter("pos_*".into()),
            Allowance::Layer("head".into()),
            Allowance::Cause("loss_sum".into()),
            Allowance::Parameter("bias".into())
        ]
    );
    assert_eq!(zeta.settings.reason.as_deref(), Some("it is meant"));
    assert_eq!(finite.settings.off.as_deref(), Some("not now"));
    assert_eq!(alpha.settings.max.as_ref().unwrap().value.constant(), Some(1.0));
}

#[test]
fn each_optimizer_has_pytorchs_defaults() {
    let optimizer = |text: &str| {
        let text = format!("{LEAST}[optimizer]\n{text}\n");
        spec(&text).subject.optimizer.clone().unwrap().groups()[0].clone()
    };
    let (lr, eps, betas) = (0.001, 1e-8, [0.9, 0.999]);
    assert_eq!(
        optimizer("kind = \"sgd\"\nlr = 0.001").kind,
        OptimizerKind::Sgd(Sgd {
            lr,
            momentum: 0.0,
            dampening: 0.0,
            nesterov: false,
            weight_decay: 0.0,
            maximize: false
        })
    );
    assert_eq!(
        optimizer("kind = \"adam\"\nlr = 1e-3").kind,
        OptimizerKind::Adam(Adam { lr, betas, eps, weight_decay: 0.0, amsgrad: false, maximize: false })
    );
    assert_eq!(
        optimizer("kind = \"adamw\"\nlr = 1e-3").kind,
        OptimizerKind::Adamw(Adamw { lr, betas, eps, weight_decay: 0.01, amsgrad: false, maximize: false })
    );
    assert_eq!(
        optimizer("kind = \"rmsprop\"\nlr = 1e-3").kind,
        OptimizerKind::Rmsprop(Rmsprop {
            lr,
            alpha: 0.99,
            eps,
            momentum: 0.0,
            weight_decay: 0.0,
            centered: false,
            maximize: false
        })
    );
    assert_eq!(optimizer("kind = \"adam\"\nlr = 1e-3\nclip.value = 0.5").clip, Some(Clip::Value(0.5)));
    let table = optimizer("kind = \"adam\"\nlr = 1e-3\n[optimizer.clip]\nnorm = 2");
    assert_eq!(table.clip, Some(Clip::Norm(2.0)));
}

#[test]
fn the_command_line_has_the_last_word() {
    let overrides = Overrides { seeds: Some(50), seed: Some(9), device: Some(Device::Mps), timeout_ms: Some(5) };
    let spec = spec_with(MOST, &overrides);
    assert_eq!((spec.run.seeds, spec.run.seed, spec.run.max_seeds), (50, 9, 50));
    assert_eq!((spec.subject.device, spec.subject.timeout_ms), (Device::Mps, 5));
    assert!(spec.properties.iter().all(|p| p.settings.seeds.is_none()));
}

#[test]
fn specs_are_named_by_their_path_and_sorted() {
    let folder = tempfile::tempdir().unwrap();
    let specs = folder.path().join("specs");
    fs::create_dir_all(specs.join("image/small")).unwrap();
    for name in ["tabular.toml", "image/small/mlp.toml", "image.toml"] {
        fs::write(specs.join(name), LEAST).unwrap();
    }
    let suite = load(&Sources::one(&specs, "specs"), &Overrides::default()).unwrap();
    let found: Vec<_> = suite.specs.iter().map(|s| (s.name.as_str(), s.file.shown.as_str())).collect();
    assert_eq!(
        found,
        [
            ("image", "specs/image.toml"),
            ("image.small.mlp", "specs/image/small/mlp.toml"),
            ("tabular", "specs/tabular.toml")
        ]
    );
    let DataSource::Csv { path, .. } = &suite.specs[1].subject.data.source else { panic!() };
    assert_eq!(path.value, specs.join("image/small/digits.csv"));

    let one = Sources::one(specs.join("tabular.toml"), "specs/tabular.toml");
    assert_eq!(load(&one, &Overrides::default()).unwrap().specs[0].name, "tabular");
    let twice = one.and(specs.join("tabular.toml"), "specs/tabular.toml");
    assert_eq!(load(&twice, &Overrides::default()).unwrap().specs.len(), 1);
}

#[cfg(unix)]
#[test]
fn a_link_back_to_its_folder_is_followed_once() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("a.toml"), LEAST).unwrap();
    std::os::unix::fs::symlink(folder.path(), folder.path().join("again")).unwrap();
    assert_eq!(load(&Sources::one(folder.path(), "specs"), &Overrides::default()).unwrap().specs.len(), 1);
}
