use std::fs;

use tempfile::TempDir;

use super::*;

/// A package with these files below `src`.
fn package(files: &[(&str, &str)]) -> TempDir {
    let folder = tempfile::tempdir().expect("a folder");
    for (path, text) in files {
        let path = folder.path().join("src").join(path);
        fs::create_dir_all(path.parent().expect("below src")).expect("made");
        fs::write(path, text).expect("written");
    }
    folder
}

fn read(files: &[(&str, &str)]) -> RustSource {
    let folder = package(files);
    RustSource::read("nets", &folder.path().join("src/lib.rs"), folder.path())
}

fn builders(source: &RustSource) -> Vec<&str> {
    source.of_role(Role::Builder).filter_map(|f| f.public.as_deref()).collect()
}

#[test]
fn builders_are_told_by_their_types_whatever_the_import() {
    for (import, ty) in [
        ("use tch::nn;", "&nn::Path"),
        ("use tch::nn::{self, Module};", "&nn::Path<'_>"),
        ("", "&tch::nn::Path"),
        ("use tch::nn::Path;", "&Path"),
        ("use tch::nn::Path as Vars;", "&Vars"),
        ("use tch::{nn as n, Tensor};", "&n::Path"),
        ("use tch::nn::*;", "&Path"),
        ("use tch::*;", "&nn::Path"),
    ] {
        let source = read(&[("lib.rs", &format!("{import}\npub fn net(path: {ty}) -> i64 {{ 0 }}"))]);
        assert_eq!(builders(&source), ["nets::net"], "{import} {ty}");
    }
    for (import, ty) in [
        ("use std::path::Path;", "&Path"),
        ("", "&std::path::Path"),
        ("use tch::nn;", "nn::Path"),
        ("use tch::nn;", "&nn::VarStore"),
        ("use tch::nn; struct Path;", "&Path"),
    ] {
        let source = read(&[("lib.rs", &format!("{import}\npub fn net(path: {ty}) -> i64 {{ 0 }}"))]);
        assert!(builders(&source).is_empty(), "{import} {ty}");
    }
}

#[test]
fn a_source_that_is_nested_too_deeply_is_passed_over_and_the_others_are_read() {
    let read_all = || {
        let net = "pub mod deep; pub mod nearly; use tch::nn; pub fn net(p: &nn::Path) -> i64 { 0 }";
        let nested = |times: usize| format!("\nfn f() -> i64 {{ {}1{} }}", "(".repeat(times), ")".repeat(times));
        let nearly = nested(DEEPEST - 20);
        let source = read(&[("lib.rs", net), ("deep.rs", &nested(100_000)), ("nearly.rs", &nearly)]);
        assert_eq!(builders(&source), ["nets::net"]);
        assert_eq!(source.too_deep(), [Place { file: "src/deep.rs".into(), line: 2 }]);
        assert!(source.at("nets::nearly::f").is_some());
        // The costliest nesting: a call for each token, or several for each level.
        let levels = DEEPEST / 3 - 20;
        let generic = "A<".repeat(levels) + "A" + &">".repeat(levels);
        for ty in ["&".repeat(DEEPEST - 20) + "A", generic] {
            let source = read(&[("lib.rs", &format!("fn f() -> {ty} {{}}"))]);
            assert!(source.at("nets::f").is_some() && source.too_deep().is_empty());
        }
    };
    let thread = std::thread::Builder::new().stack_size(crate::STACK).spawn(read_all).expect("a thread");
    assert!(thread.join().is_ok());
}

#[test]
fn only_what_a_harness_can_bind_is_a_builder() {
    let source = read(&[(
        "lib.rs",
        "use tch::nn; use nncheck::Hyper;
         pub fn plain(p: &nn::Path) -> i64 { 0 }
         pub fn hyper<'a>(p: &nn::Path<'a>, hyper: &Hyper) -> i64 { 0 }
         pub fn sized(p: &nn::Path, hidden: i64) -> i64 { 0 }
         pub fn generic<T>(p: &nn::Path, t: T) -> i64 { 0 }
         pub fn nothing(p: &nn::Path) {}
         fn private(p: &nn::Path) -> i64 { 0 }
         pub struct Net;
         impl Net { pub fn new(p: &nn::Path) -> Self { Net } fn old(p: &nn::Path) -> Self { Net } }
         #[cfg(test)] mod tests { pub fn test_only(p: &nn::Path) -> i64 { 0 } }",
    )]);
    assert_eq!(builders(&source), ["nets::plain", "nets::hyper", "nets::Net::new"]);
    let hyper: Vec<bool> = source.of_role(Role::Builder).map(|f| f.hyper).collect();
    assert_eq!(hyper, [false, true, false]);
}

#[test]
fn modules_are_followed_into_their_files_and_the_shortest_public_path_is_named() {
    let net = "use tch::nn::Path; pub fn net(path: &Path) -> i64 { 0 }";
    let source = read(&[
        (
            "lib.rs",
            "pub mod a; mod b; mod c; #[path = \"other/strange.rs\"] pub mod d; pub mod inline { pub mod deep; } mod gone;
             pub use b::net as from_b; pub use c::*; pub use crate::e::inner; mod e { pub mod inner { pub use crate::b::net; } }",
        ),
        ("a.rs", net),
        ("b.rs", net),
        ("c/mod.rs", "mod below; pub use self::below::net as from_c;"),
        ("c/below.rs", net),
        ("other/strange.rs", net),
        ("inline/deep.rs", net),
    ]);
    assert_eq!(
        builders(&source),
        ["nets::a::net", "nets::from_b", "nets::from_c", "nets::d::net", "nets::inline::deep::net"]
    );
    let place = |path: &str| source.at(path).expect("found").place.to_string();
    assert_eq!(place("nets::inline::deep::net"), "src/inline/deep.rs:1");
    assert_eq!(place("nets::from_c"), "src/c/below.rs:1");
}

#[test]
fn circles_of_modules_and_of_exports_come_to_an_end() {
    let source = read(&[
        (
            "lib.rs",
            "#[path = \"lib.rs\"] pub mod again; pub mod a { pub use super::*; pub use crate::a; } pub use a::*;",
        ),
        ("broken.rs", "fn ("),
    ]);
    assert!(builders(&source).is_empty());
}

#[test]
fn other_functions_are_told_by_their_signatures() {
    let source = read(&[(
        "lib.rs",
        "use tch::{nn, Tensor}; use nncheck::{Batch, Dataset, Losses, Model, Optimize};
         pub fn data() -> Dataset { todo!() }
         pub fn tried() -> Result<Dataset, String> { todo!() }
         pub fn loss(a: &Tensor, b: &Tensor) -> Tensor { todo!() }
         pub fn optimizer(store: &nn::VarStore) -> i64 { todo!() }
         pub fn step(m: &dyn Model, o: &mut dyn Optimize, b: &Batch) -> Tensor { todo!() }
         pub fn number(p: &mut nncheck::Program) -> f64 { 0.0 }
         pub fn none() {}",
    )]);
    let names = |role| source.of_role(role).map(Function::name).collect::<Vec<_>>();
    assert_eq!(names(Role::Data), ["data", "tried"]);
    assert_eq!(names(Role::Loss), ["loss"]);
    assert_eq!(names(Role::Optimizer), ["optimizer"]);
    assert_eq!(names(Role::Step), ["step"]);
    assert_eq!(names(Role::Value), ["number"]);
    assert_eq!(source.at("nets::loss").expect("found").signature, "fn loss(a: &Tensor, b: &Tensor) -> Tensor");
}

#[test]
fn the_nearest_function_is_found_by_its_last_name_too() {
    let source =
        read(&[("lib.rs", "pub mod models { pub fn convnet(p: &tch::nn::Path) -> i64 { 0 } } pub fn convnets() {}")]);
    for wrong in ["nets::convnet", "other::convnet", "nets::models::convnt", "nets::convnett", "convnet"] {
        let near = source.nearest(wrong, Role::Builder).and_then(|f| f.public.as_deref());
        assert_eq!(near, Some("nets::models::convnet"), "{wrong}");
    }
    assert!(source.nearest("nets::transformer", Role::Builder).is_none());
}

fn network(lib: &str) -> Network {
    let source = read(&[("lib.rs", lib)]);
    let builder = source.of_role(Role::Builder).next().expect("a builder");
    source.network(builder)
}

#[test]
fn the_sizes_of_a_network_are_read_through_constants_variables_and_functions() {
    let lib = "use tch::nn; const IN: i64 = 2 * sizes::HALF; mod sizes { pub const HALF: i64 = 4; }
        fn layer(path: nn::Path, i: i64, o: i64) -> nn::Linear { nn::linear(path, i, o, Default::default()) }
        pub fn net(path: &nn::Path, hyper: &nncheck::Hyper) -> impl nn::Module {
            let hidden = hyper.get(\"hidden\", 16);
            nn::seq().add(layer(path / \"a\", IN, hidden)).add_fn(|x| x.relu()).add(layer(path / \"b\", hidden, 3)).add_fn(|x| x.log_softmax(-1, tch::Kind::Float))
        }";
    let network = network(lib);
    assert_eq!(network.hyper, [("hidden".to_owned(), 16)]);
    assert_eq!(
        (network.input, network.output, network.last),
        (Input::Features(8), Some(3), Some(Activation::LogSoftmax))
    );
}

#[test]
fn what_a_struct_does_to_its_inputs_is_read_from_its_forward() {
    let lib = "use tch::{nn, Tensor}; pub struct Net { conv: nn::Conv2D, head: nn::Linear }
        impl Net { pub fn new(vs: &nn::Path) -> Net {
            let conv = nn::conv2d(vs, 1, 32, 5, Default::default());
            let head = nn::linear(vs, 1024, 10, Default::default());
            Net { conv, head } } }
        impl nn::ModuleT for Net { fn forward_t(&self, xs: &Tensor, train: bool) -> Tensor {
            xs.view([-1, 1, 28, 28]).apply(&self.conv).max_pool2d_default(2).relu().view([-1, 1024]).apply(&self.head) } }";
    let network = network(lib);
    assert_eq!(network.input, Input::Images(1));
    assert_eq!((network.output, network.last, network.reshapes), (Some(10), None, true));
    assert_eq!(network.viewed, Some(vec![1, 28, 28]));
}

#[test]
fn what_cannot_be_read_is_unknown() {
    let lib = "use tch::nn; pub fn net(path: &nn::Path) -> impl nn::Module { nn::linear(path, width(), width(), Default::default()) }
        fn width() -> i64 { std::env::args().count() as i64 }";
    assert_eq!(network(lib), Network::default());
}

#[test]
fn a_function_that_calls_itself_many_times_ends() {
    let calls = "net(path);".repeat(60);
    let lib = format!("use tch::nn; pub fn net(path: &nn::Path) -> i64 {{ {calls} 0 }}");
    assert_eq!(network(&lib), Network::default());
}
