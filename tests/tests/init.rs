//! `cargo nncheck init`: what it writes runs as it is.

use std::fs;

use nncheck_tests::{Outcome, Scratch, command, nncheck, program, project};

/// Three classes of points in four dimensions.
fn points() -> String {
    read(&project("docs").join("data/points.csv"))
}

fn read(path: &std::path::Path) -> String {
    fs::read_to_string(path).unwrap_or_else(|e| panic!("{}: {e}", path.display()))
}

/// A package with a library; its dependencies are those of an example project.
fn package(lib: &str) -> Scratch {
    let unruly = project("unruly");
    let named = |file: &str| read(&unruly.join(file)).replace("\"unruly\"", "\"fresh\"");
    Scratch::new()
        .with("fresh/Cargo.toml", &named("Cargo.toml"))
        .with("fresh/Cargo.lock", &named("Cargo.lock"))
        .with("fresh/src/lib.rs", lib)
}

/// Runs the command in the package.
fn inside(package: &Scratch, arguments: &[&str]) -> Outcome {
    Outcome::of(command(program(), &package.join("fresh")).arg("nncheck").args(arguments))
}

fn spec(package: &Scratch, name: &str) -> String {
    read(&package.join(&format!("fresh/specs/{name}.toml")))
}

/// A library with a perceptron as PyTorch would initialise it, behind a module, and one for other data.
const LIB: &str = r#"//! A fresh library.
mod nets;
pub use nets::Perceptron;

/// For pictures.
pub fn convnet(path: &tch::nn::Path) -> impl tch::nn::Module {
    tch::nn::conv2d(path / "conv", 1, 10, 3, Default::default())
}
"#;
const NETS: &str = r#"use tch::Tensor;
use tch::nn::{self, Init, Linear, LinearConfig, Module, Path};

const CLASSES: i64 = 3;

/// Two layers.
#[derive(Debug)]
pub struct Perceptron {
    hidden: Linear,
    head: Linear,
}

fn linear(path: Path, inputs: i64, outputs: i64) -> Linear {
    let bound = 1.0 / (inputs as f64).sqrt();
    let init = Init::Uniform { lo: -bound, up: bound };
    nn::linear(path, inputs, outputs, LinearConfig { ws_init: init, bs_init: Some(init), bias: true })
}

impl Perceptron {
    /// Of four numbers.
    pub fn new(path: &Path) -> Self {
        Self { hidden: linear(path / "hidden", 4, 32), head: linear(path / "head", 32, CLASSES) }
    }
}

impl Module for Perceptron {
    fn forward(&self, xs: &Tensor) -> Tensor {
        xs.apply(&self.hidden).relu().apply(&self.head)
    }
}
"#;

#[test]
fn a_fresh_package_with_a_builder_and_a_csv_goes_green_at_once() {
    let package = package(LIB).with("fresh/src/nets.rs", NETS).with("data/points.csv", &points());
    let told = inside(&package, &["init", "--test-target"]).exits_with(0);
    let _told = told.complains_of(&["wrote specs/perceptron.toml", "fresh::Perceptron::new", "../data/points.csv"]);
    let text = spec(&package, "perceptron");
    for words in [
        "#:schema ./nncheck.schema.json\n",
        "\nbuilder = \"fresh::Perceptron::new\"",
        "\n# builder = \"fresh::convnet\"",
        "\ncsv = \"../../data/points.csv\"\n",
        "target = \"label\"                    # guessed",
        "nncheck:classification",
    ] {
        assert!(text.contains(words), "{words}\n{text}");
    }
    let run = inside(&package, &["run", "--message-format", "json"]).exits_with(0);
    assert_eq!(run.summary()["passed"], 6, "{run}");
    // The test target binds what the spec names, and cargo accepts the manifest.
    let bound = read(&package.join("fresh/tests/nncheck.rs"));
    assert!(bound.contains("builder: [fresh::Perceptron::new, fresh::convnet]"), "{bound}");
    let manifest = read(&package.join("fresh/Cargo.toml"));
    assert!(manifest.contains("[[test]]\nname = \"nncheck\"\nharness = false"), "{manifest}");
    assert!(manifest.contains("[dev-dependencies]\nnncheck = "), "{manifest}");
    // And nothing is overwritten.
    let _refused = inside(&package, &["init"]).exits_with(2).complains_of(&["specs/perceptron.toml", "there already"]);
    let _refused = inside(&package, &["init", "--test-target"]).exits_with(2).complains_of(&["tests/nncheck.rs"]);
    assert_eq!(spec(&package, "perceptron"), text);
    assert_eq!(read(&package.join("fresh/tests/nncheck.rs")), bound);
    assert_eq!(read(&package.join("fresh/Cargo.toml")), manifest);
}

#[test]
fn of_several_builders_the_one_that_the_data_fits_is_taken() {
    let lib = "use tch::nn;
        pub fn wide(p: &nn::Path) -> nn::Linear { nn::linear(p, 64, 10, Default::default()) }
        pub fn narrow(p: &nn::Path) -> nn::Linear { nn::linear(p, 4, 3, Default::default()) }
        pub fn pictures(p: &nn::Path) -> nn::Conv2D { nn::conv2d(p, 1, 8, 3, Default::default()) }";
    let package = package(lib).with("fresh/data/points.csv", &points());
    let _written = inside(&package, &["init"]).exits_with(0).complains_of(&["wrote specs/narrow.toml"]);
    let text = spec(&package, "narrow");
    assert!(text.contains("\nbuilder = \"fresh::narrow\"") && text.contains("\n# builder = \"fresh::wide\""), "{text}");
    let _valid = inside(&package, &["list"]).exits_with(0).says(&["narrow::initial_loss"]);
}

#[test]
fn arrays_of_an_npz_file_are_told_apart() {
    let npz = project("docs").join("data/points.npz");
    let folder = Scratch::new();
    fs::copy(npz, folder.join("points.npz")).unwrap_or_else(|e| panic!("{e}"));
    let specs = folder.join("specs").display().to_string();
    let _written = nncheck(&["init", "--specs", &specs]).exits_with(0).complains_of(&["wrote", "points.npz"]);
    let text = read(&folder.join("specs/model.toml"));
    for words in ["npz = \"../points.npz\"", "inputs = \"points\"", "target = \"label\"", "linear = { out = 3 }"] {
        assert!(text.contains(words), "{words}\n{text}");
    }
    // A folder of specs, with no Rust at all.
    let run = nncheck(&["run", "--specs", &specs, "--message-format", "json"]).exits_with(0);
    assert_eq!(run.summary()["passed"], 6, "{run}");
}

#[test]
fn without_builders_and_data_the_spec_shows_layers_and_says_what_is_missing() {
    let package = package("//! Nothing yet.\nfn hidden(p: &tch::nn::Path) -> i64 { 0 }\n");
    let told = inside(&package, &["init"]).exits_with(0);
    let _told = told.complains_of(&["no public function takes `&nn::Path`", "no data was found"]);
    let text = spec(&package, "model");
    for words in
        ["layers = [", "pub fn mlp(path: &nn::Path)", "synthetic = { inputs = [16], classes = 10", "Made-up rows"]
    {
        assert!(text.contains(words), "{words}\n{text}");
    }
    let _valid = inside(&package, &["list"]).exits_with(0).says(&["model::learns"]);
}

#[test]
fn a_package_without_a_library_is_told_so_and_where_its_model_is() {
    let package = package("");
    fs::remove_file(package.join("fresh/src/lib.rs")).unwrap_or_else(|e| panic!("{e}"));
    let package = package.with(
        "fresh/src/main.rs",
        "use tch::nn;\n\nfn small(p: &nn::Path) -> nn::Linear { nn::linear(p, 4, 3, Default::default()) }\nfn main() {}\n",
    );
    let told = inside(&package, &["init"]).exits_with(0).complains_of(&[
        "layers, for the package has no library",
        "package `fresh` has no library",
        "move `small` (src/main.rs:3) into src/lib.rs as `pub fn small(p: &nn::Path) -> nn::Linear`",
        "builder = \"fresh::small\"",
    ]);
    assert!(!told.stderr.contains("no public function"), "{told}");
    let text = spec(&package, "model");
    assert!(text.contains("has no library") && !text.contains("The library has no"), "{text}");
    let package = package.with("fresh/src/main.rs", "fn main() {}\n");
    fs::remove_dir_all(package.join("fresh/specs")).unwrap_or_else(|e| panic!("{e}"));
    let _told =
        inside(&package, &["init"]).exits_with(0).complains_of(&["has no library", "put the model into src/lib.rs"]);
}

#[test]
fn files_that_cannot_be_used_are_told_and_passed_over() {
    let lib = "use tch::nn; pub fn net(p: &nn::Path) -> nn::Linear { nn::linear(p, 9, 3, Default::default()) }";
    let package = package(lib)
        .with("fresh/data/iris.csv", "a,b,species\n1,2,setosa\n2,3,virginica\n")
        .with("fresh/data/semicolons.csv", "a;b;y\n1;2;0\n")
        .with("fresh/data/points.csv", &points())
        .with("fresh/data/no.npz", "no archive")
        .with("fresh/data/empty.csv", "");
    let lib = format!("mod deep; {lib}");
    let deep = format!("\nfn f() -> i64 {{ {}1{} }}", "(".repeat(100_000), ")".repeat(100_000));
    let package = package.with("fresh/src/lib.rs", &lib).with("fresh/src/deep.rs", &deep);
    let told = inside(&package, &["init"]).exits_with(0);
    let told = told.complains_of(&["warning: passed over src/deep.rs: line 2 is nested too deeply to be read"]);
    let _told = told.complains_of(&["`species`", "';'", "points.csv: its rows of shape [4]", "no.npz", "empty.csv"]);
    assert!(spec(&package, "net").contains("synthetic = { inputs = [9], classes = 3"));
    let left: Vec<_> = fs::read_dir(package.join("fresh/specs")).into_iter().flatten().flatten().collect();
    assert_eq!(left.len(), 2, "a spec and its schema, and nothing else: {left:?}");
}

#[test]
fn sources_that_are_no_rust_and_places_without_a_package_are_told() {
    let package = package("pub fn (");
    let _written = inside(&package, &["init"]).exits_with(0).complains_of(&["no public function"]);
    let nowhere = Scratch::new();
    let outcome = Outcome::of(command(program(), nowhere.path()).args(["nncheck", "init"])).exits_with(2);
    let _told = outcome.complains_of(&["Cargo.toml", "--specs"]);
    let specs = nowhere.join("specs").display().to_string();
    let both = nncheck(&["init", "--specs", &specs, "--test-target"]).exits_with(2);
    assert!(both.stderr.contains("--test-target") && !nowhere.join("specs").exists(), "{both}");
}
