//! The order in which places are looked at, and what is told about each.

use std::fs;

use crate::fake::{Fake, TORCH};

#[test]
fn where_nothing_is_every_place_has_its_reason() {
    Fake::new().run(&["libtorch"]).with(3).showing(&[
        "wanted: torch 2.11.0, by nncheck's own tch 0.24.0, there being none in the project",
        "found:  none",
        "  LIBTORCH: not set",
        "  LIBTORCH_USE_PYTORCH: not set",
        "  the active Python environment: python3 has no torch",
        "  nncheck's cache: there is no libtorch 2.11.0 in",
        "cargo nncheck libtorch install",
    ]);
    Fake::new().without("python3").run(&["libtorch"]).with(3).showing(&["there is no python3 on PATH"]);
}

#[test]
fn each_place_wins_over_the_ones_behind_it() {
    let fake = Fake::with_index();
    fake.run(&["libtorch", "install", "-q"]).with(0);
    let cache = fake.installed().display().to_string();
    fake.run(&["libtorch"]).with(0).showing(&["in nncheck's cache", &cache, "python3 has no torch"]);

    let python = fake.python_torch("2.11.0+cu130");
    let search = fake.run(&["libtorch"]).with(0);
    assert!(!search.out.contains(&cache), "{}", search.out);
    search.showing(&["found:  torch 2.11.0+cu130, in the active Python environment", &python]);

    fake.run_with(&[("LIBTORCH_USE_PYTORCH", "1")], &["libtorch"])
        .with(0)
        .showing(&["because LIBTORCH_USE_PYTORCH is set", &python]);

    let own = fake.libtorch("own", TORCH);
    let search = fake.run_with(&[("LIBTORCH_USE_PYTORCH", "1"), ("LIBTORCH", &own)], &["libtorch"]).with(0);
    assert!(!search.out.contains("passed over"), "{}", search.out);
    search.showing(&["because LIBTORCH is set", &own]);
}

#[test]
fn a_torch_of_another_version_in_python_is_passed_over() {
    let fake = Fake::new();
    let folder = fake.python_torch("2.9.1+cpu");
    let reason = format!("its torch, in `{folder}`, is 2.9.1+cpu, and 2.11.0 is wanted");
    fake.run(&["libtorch"]).with(3).showing(&[&reason]);
}

#[test]
fn a_torch_in_python_that_is_not_whole_is_passed_over() {
    let fake = Fake::new();
    fake.python_torch(TORCH);
    fs::remove_file(fake.path("site-packages/torch/lib/libtorch_cpu.so")).expect("removed");
    fake.run(&["libtorch"]).with(3).showing(&["is not whole: there is no libtorch_cpu.so in"]);
}

#[test]
fn a_relative_libtorch_is_made_absolute() {
    let fake = Fake::new();
    let own = fake.libtorch("work/own", TORCH);
    fake.run_with(&[("LIBTORCH", "own")], &["libtorch"]).with(0).showing(&[&own]);
}

#[test]
fn the_tch_in_the_lock_file_decides_which_torch_is_wanted() {
    let fake = Fake::new();
    fs::write(fake.path("work/Cargo.toml"), "[package]\nname = \"user\"\nversion = \"0.1.0\"\n").expect("written");
    fs::create_dir(fake.path("work/src")).expect("created");
    fs::write(fake.path("work/src/lib.rs"), "").expect("written");
    let cargo = env!("CARGO");
    for (tch, torch) in [("0.22.0", "2.9.0"), ("0.23.0", "2.10.0"), ("0.24.0", "2.11.0"), ("0.26.0", "2.13.0")] {
        let lock = format!("version = 4\n\n[[package]]\nname = \"torch-sys\"\nversion = \"{tch}\"\n");
        fs::write(fake.path("work/Cargo.lock"), lock).expect("written");
        fake.run_with(&[("CARGO", cargo)], &["libtorch"])
            .with(3)
            .showing(&[&format!("wanted: torch {torch}, by the project's tch {tch}"), "Cargo.lock"]);
    }
}

#[test]
fn a_manifest_that_is_not_there_is_a_wrong_command_line() {
    Fake::new().run(&["libtorch", "--manifest-path", "nowhere/Cargo.toml"]).with(2).saying(&["nowhere/Cargo.toml"]);
}
