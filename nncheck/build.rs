//! Compiles the operator observer and its hooks, the loader of TorchScript models, the keeper of the generator's state and the
//! finder of tensors in memory (five files of C++) against the headers of the libtorch that `torch-sys` links.

use std::env;
use std::path::{Path, PathBuf};

const SOURCES: [&str; 5] = [
    "src/generator.cpp",
    "src/memory/memory.cpp",
    "src/observe/hooks.cpp",
    "src/observe/observer.cpp",
    "src/subject/torchscript/module.cpp",
];

fn main() {
    for source in SOURCES {
        println!("cargo:rerun-if-changed={source}");
    }
    println!("cargo:rerun-if-changed=src/memory/memory.hpp");
    println!("cargo:rerun-if-changed=build.rs");
    // Documentation is built without libtorch (torch-sys's `doc-only`), where nothing is linked.
    if env::var_os("DOCS_RS").is_some() {
        return;
    }
    let lib = library_folder();
    let include = include_folder(&lib);
    // torch's wheels and libtorch itself use the new ABI; torch-sys reads the same variable.
    let abi = variable("LIBTORCH_CXX11_ABI").unwrap_or_else(|| "1".to_owned());

    let mut build = cc::Build::new();
    build.cpp(true).pic(true).warnings(false);
    build.include("src/memory").include(&include).include(include.join("torch/csrc/api/include"));
    // Whatever the profile: without NDEBUG libtorch's headers lay out `at::RecordFunction` differently from the
    // library, and reading an operator's inputs crashes. The callbacks run inside every forward pass, hence -O3.
    build.define("NDEBUG", None).opt_level(3).debug(false).std("c++17");
    build.define("_GLIBCXX_USE_CXX11_ABI", abi.as_str()).define("GLOG_USE_GLOG_EXPORT", None);
    build.files(SOURCES).compile("nncheck_shim");
}

/// The folder that holds libtorch: what `torch-sys` found, or, where it does not say (Windows), what it was told.
fn library_folder() -> PathBuf {
    if let Some(folder) = variable("DEP_TCH_LIBTORCH_LIB") {
        return PathBuf::from(folder);
    }
    let told = variable("LIBTORCH_LIB").or_else(|| variable("LIBTORCH"));
    let Some(told) = told else {
        panic!(
            "torch-sys does not say where libtorch is (DEP_TCH_LIBTORCH_LIB is not set): \
             set LIBTORCH to the folder that holds libtorch's `lib` and `include`"
        );
    };
    Path::new(&told).join("lib")
}

fn include_folder(lib: &Path) -> PathBuf {
    let include = match variable("LIBTORCH_INCLUDE") {
        Some(folder) => Path::new(&folder).join("include"),
        None => lib.parent().unwrap_or(lib).join("include"),
    };
    assert!(
        include.join("ATen/record_function.h").is_file(),
        "libtorch's headers are not in {}: nncheck needs a libtorch (or a Python torch) that comes with its `include` \
         folder beside `lib`, or LIBTORCH_INCLUDE set to the folder that holds `include`",
        include.display()
    );
    include
}

fn variable(name: &str) -> Option<String> {
    println!("cargo:rerun-if-env-changed={name}");
    env::var(name).ok().filter(|value| !value.is_empty())
}
