//! Each way in which libtorch cannot be provided has a message of its own, with the way out, and exit code 3.

use std::fs;

use crate::fake::{Fake, TORCH};

const INSTALL: [&str; 2] = ["libtorch", "install"];

/// Fails unless the installation fails with this message and leaves nothing behind.
#[track_caller]
fn install_fails(fake: &Fake, parts: &[&str]) {
    fake.run(&INSTALL).with(3).saying(parts);
    assert_eq!(fake.cached(), [""; 0]);
    fake.run(&["libtorch"]).with(3).showing(&["there is no libtorch 2.11.0 in"]);
}

#[test]
fn libtorch_set_to_no_libtorch() {
    let fake = Fake::new();
    fs::create_dir(fake.path("empty")).expect("created");
    let empty = fake.path("empty").display().to_string();
    for (value, problem) in [("/nowhere", "there is no such folder"), (empty.as_str(), "there is no folder")] {
        for arguments in [["libtorch"].as_slice(), &["exec", "--", "env"]] {
            fake.run_with(&[("LIBTORCH", value)], arguments).with(3).saying(&[
                &format!("LIBTORCH is set to `{value}`, but {problem}"),
                "unset it",
                "env -u LIBTORCH",
            ]);
        }
    }
}

#[test]
fn libtorch_set_to_another_version() {
    let fake = Fake::new();
    let other = fake.libtorch("other", "2.9.0+cpu");
    fake.run_with(&[("LIBTORCH", &other)], &["libtorch"]).with(3).saying(&[
        "which is torch 2.9.0+cpu, but nncheck's own tch 0.24.0",
        "wants torch 2.11.0",
        "LIBTORCH_BYPASS_VERSION_CHECK=1",
    ]);
    fake.run_with(&[("LIBTORCH", &other), ("LIBTORCH_BYPASS_VERSION_CHECK", "1")], &["libtorch"])
        .with(0)
        .showing(&["found:  torch 2.9.0+cpu"]);
}

#[test]
fn pytorch_wanted_where_there_is_none() {
    let variables = [("LIBTORCH_USE_PYTORCH", "1")];
    Fake::new()
        .run_with(&variables, &["libtorch"])
        .with(3)
        .saying(&["LIBTORCH_USE_PYTORCH is set, but python3 has no torch", "python3 -m pip install torch==2.11.0"]);
    Fake::new()
        .without("python3")
        .run_with(&variables, &["libtorch"])
        .with(3)
        .saying(&["LIBTORCH_USE_PYTORCH is set, but there is no python3 on PATH"]);
}

#[test]
fn pytorch_wanted_where_it_has_another_version() {
    let fake = Fake::new();
    fake.python_torch("2.12.0");
    fake.run_with(&[("LIBTORCH_USE_PYTORCH", "1")], &["libtorch"])
        .with(3)
        .saying(&["is 2.12.0, and nncheck's own tch 0.24.0", "python3 -m pip install torch==2.11.0"]);
}

#[test]
fn no_python() {
    install_fails(
        &Fake::with_index().without("python3"),
        &["libtorch 2.11.0 has to be installed", "`python3` is not on PATH", "apt install python3-pip", "set LIBTORCH"],
    );
}

#[test]
fn a_virtual_environment_is_looked_at_under_its_own_name() {
    Fake::with_index().run_with(&[("VIRTUAL_ENV", "/venv")], &INSTALL).with(3).saying(&["`python` is not on PATH"]);
}

#[test]
fn no_pip() {
    let fake = Fake::with_index();
    fake.set("no-pip", "");
    install_fails(&fake, &["`python3` has no pip", "python3 -m ensurepip", "set LIBTORCH"]);
}

#[test]
fn an_old_pip() {
    let fake = Fake::with_index();
    fake.set("failure", "Usage: pip install\n\nno such option: --report\n");
    install_fails(&fake, &["is too old", "pip 22.2", "install --upgrade pip"]);
}

#[test]
fn no_network() {
    let fake = Fake::with_index();
    fake.set(
        "failure",
        "WARNING: Retrying (Retry(total=0)) after connection broken by 'NewConnectionError(...)': /torch/\n\
         ERROR: Could not find a version that satisfies the requirement torch==2.11.0 (from versions: none)\n\
         ERROR: No matching distribution found for torch==2.11.0\n",
    );
    install_fails(&fake, &["the package index cannot be reached", "NewConnectionError", "HTTPS_PROXY", "set LIBTORCH"]);
}

#[test]
fn no_such_version() {
    let fake = Fake::with_index();
    fake.set(
        "failure",
        "ERROR: Could not find a version that satisfies the requirement torch==2.11.0 (from versions: 2.9.0)\n\
         ERROR: No matching distribution found for torch==2.11.0\n",
    );
    install_fails(
        &fake,
        &["the package index has no torch==2.11.0 for this platform", "(from versions: 2.9.0)", "help:"],
    );
}

#[test]
fn no_space() {
    let fake = Fake::with_index();
    fake.set("failure", "ERROR: Could not install packages due to an OSError: [Errno 28] No space left on device\n");
    install_fails(&fake, &["no space left", "NNCHECK_CACHE_DIR"]);
}

#[test]
fn another_failure_of_pip() {
    let fake = Fake::with_index();
    fake.set("failure", "Traceback (most recent call last):\nKeyError: 'surprise'\n");
    install_fails(&fake, &["pip could not download libtorch 2.11.0", "KeyError: 'surprise'"]);
}

#[test]
fn no_compiler() {
    let fake = Fake::with_index().without("cc");
    install_fails(&fake, &["takes a C compiler, and `cc` is not on PATH", "apt install build-essential"]);
    assert_eq!(fake.downloads(), 0, "half a gigabyte before the message");
}

#[test]
fn a_compiler_that_fails() {
    let fake = Fake::with_index();
    fs::remove_file(fake.path("bin/ld")).expect("removed");
    fs::write(fake.path("bin/broken"), "#!/bin/sh\necho 'broken: no linker' >&2\nexit 1\n").expect("written");
    fs::set_permissions(fake.path("bin/broken"), std::os::unix::fs::PermissionsExt::from_mode(0o755)).expect("set");
    fake.run_with(&[("CC", "broken -m64")], &INSTALL).with(3).saying(&["`broken` could not link", "broken: no linker"]);
    assert_eq!(fake.cached(), [""; 0]);
}

#[test]
fn a_wheel_without_a_hash() {
    let fake = Fake::with_index();
    fake.report("torch", TORCH, "{}");
    install_fails(&fake, &["the package index gives no sha256 hash", "nothing was installed"]);
    assert_eq!(fake.downloads(), 0);
}

#[test]
fn a_wheel_of_another_content_than_the_index_says() {
    let fake = Fake::with_index();
    let hash = "0".repeat(64);
    fake.report("nvidia-cuda-runtime", "13.1.0", &format!(r#"{{"hash": "sha256={hash}"}}"#));
    install_fails(&fake, &["is not the file that it should be", "its sha256 is", &hash, "nothing was installed"]);
}

#[test]
fn a_wheel_without_the_library() {
    let fake = Fake::with_index();
    fake.offer("nvidia-cuda-runtime", "13.1.0", &[("nvidia/cu13/lib/libother.so", Vec::new())]);
    install_fails(&fake, &["nvidia-cuda-runtime-13.1.0", "there is no libcudart.so.13 in it"]);
}

#[test]
fn a_wheel_whose_library_is_none() {
    let fake = Fake::with_index();
    fake.offer("torch", TORCH, &[("torch/lib/libtorch_cpu.so", b"text".to_vec())]);
    install_fails(&fake, &["libtorch_cpu.so cannot be used", "no shared library"]);
}

#[test]
fn no_home() {
    let fake = Fake::new();
    let output = fake.command(&["libtorch"]).env_remove("NNCHECK_CACHE_DIR").env_remove("HOME").output();
    crate::fake::Ended::from(output.expect("started"))
        .with(3)
        .saying(&["no place for nncheck's cache", "NNCHECK_CACHE_DIR"]);
}
