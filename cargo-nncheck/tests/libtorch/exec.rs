//! `exec`: the environment that a command gets, and how its end is passed on.

use std::process::{Command, Stdio};

use crate::fake::{Fake, TORCH};

/// The value of a variable in what `env` prints.
fn value<'a>(text: &'a str, name: &str) -> Option<&'a str> {
    text.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix('='))
}

#[test]
fn the_command_sees_libtorch_and_its_folder_first() {
    let fake = Fake::new();
    let own = fake.libtorch("own", TORCH);
    let env = fake.run_with(&[("LIBTORCH", &own), ("LD_LIBRARY_PATH", "/opt/lib")], &["exec", "--", "env"]).with(0);
    assert_eq!(value(&env.out, "LIBTORCH"), Some(own.as_str()));
    assert_eq!(value(&env.out, "LD_LIBRARY_PATH"), Some(format!("{own}/lib:/opt/lib").as_str()));
    assert_eq!(value(&env.out, "HOME"), fake.path("home").to_str());
    assert_eq!(env.err, "");
}

#[test]
fn libtorch_is_installed_where_there_is_none() {
    let fake = Fake::with_index();
    let env = fake.run(&["exec", "--", "env"]).with(0).saying(&["no libtorch 2.11.0 on this machine", "once"]);
    let root = fake.installed();
    assert_eq!(value(&env.out, "LIBTORCH"), root.to_str());
    assert_eq!(value(&env.out, "LD_LIBRARY_PATH"), root.join("lib").to_str());
    assert_eq!(fake.run(&["exec", "--", "env"]).with(0).err, "", "the second time there is nothing to say");
}

#[test]
fn pytorch_is_left_to_torch_sys() {
    let fake = Fake::new();
    let torch = fake.python_torch(TORCH);
    let env = fake.run_with(&[("LIBTORCH_USE_PYTORCH", "1")], &["exec", "--", "env"]).with(0);
    assert_eq!(value(&env.out, "LIBTORCH"), None);
    assert_eq!(value(&env.out, "LIBTORCH_USE_PYTORCH"), Some("1"));
    assert_eq!(value(&env.out, "LD_LIBRARY_PATH"), Some(format!("{torch}/lib").as_str()));
}

#[test]
fn the_exit_code_is_that_of_the_command() {
    let fake = Fake::new();
    let own = fake.libtorch("own", TORCH);
    for code in [0, 1, 7, 255] {
        fake.run_with(&[("LIBTORCH", &own)], &["exec", "--", "sh", "-c", &format!("exit {code}")]).with(code);
    }
}

#[test]
fn the_shell_sees_the_signal_that_ended_the_command() {
    let fake = Fake::new();
    let own = fake.libtorch("own", TORCH);
    let program = env!("CARGO_BIN_EXE_cargo-nncheck");
    let script = format!("'{program}' nncheck exec -- sh -c 'kill -TERM $$'; echo $?");
    let output = Command::new("sh")
        .args(["-c", &script])
        .env("LIBTORCH", &own)
        .current_dir(fake.path("work"))
        .stderr(Stdio::null())
        .output()
        .expect("sh starts");
    assert_eq!(String::from_utf8_lossy(&output.stdout).trim(), "143");
}

#[test]
fn standard_input_reaches_the_command() {
    let fake = Fake::new();
    let own = fake.libtorch("own", TORCH);
    let input = fake.path("input");
    std::fs::write(&input, "hello\n").expect("written");
    let mut command = fake.command(&["exec", "--", "cat"]);
    let output = command.env("LIBTORCH", &own).stdin(std::fs::File::open(&input).expect("opened")).output();
    assert_eq!(output.expect("started").stdout, b"hello\n");
}

#[test]
fn a_command_that_is_not_there_is_named() {
    let fake = Fake::new();
    let own = fake.libtorch("own", TORCH);
    fake.run_with(&[("LIBTORCH", &own)], &["exec", "--", "no-such-program"]).with(3).saying(&["no-such-program"]);
}
