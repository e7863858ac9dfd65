//! Installing into the cache: what comes of it, of interruptions, and of two at once.

use std::fs;
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use cargo_nncheck::libtorch::elf;

use crate::fake::{Ended, Fake, files};

const INSTALL: [&str; 2] = ["libtorch", "install"];

/// Waits for something to come true, but not for ever.
#[track_caller]
fn wait_until(what: &str, mut there: impl FnMut() -> bool) {
    let start = Instant::now();
    while !there() {
        assert!(start.elapsed() < Duration::from_secs(30), "waited in vain until {what}");
        thread::sleep(Duration::from_millis(10));
    }
}

fn start(fake: &Fake) -> Child {
    fake.command(&INSTALL).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("started")
}

fn end(child: Child) -> Ended {
    child.wait_with_output().expect("ended").into()
}

fn signal(name: &str, id: &str) -> bool {
    Command::new("kill").args([name, id]).stderr(Stdio::null()).status().expect("kill starts").success()
}

/// Starts an installation and sends it a signal in the middle of the download. Gives the id of pip too.
fn interrupted(fake: &Fake, name: &str) -> (Ended, String) {
    fake.set("slow", "60");
    let child = start(fake);
    wait_until("the download has begun", || fake.path("started").exists());
    let pip = fs::read_to_string(fake.path("started")).expect("read").trim().to_owned();
    assert!(signal("-0", &pip), "pip is not running");
    assert!(signal(name, &child.id().to_string()));
    let ended = end(child);
    fs::remove_file(fake.path("slow")).expect("removed");
    (ended, pip)
}

#[test]
fn what_the_cpu_needs_is_installed_and_nothing_else() {
    let fake = Fake::with_index();
    fake.run(&INSTALL).with(0).saying(&["fetching torch==2.11.0", "installed libtorch 2.11.0 in"]);
    assert_eq!(fake.cached(), ["libtorch-2.11.0-cpu"]);
    assert_eq!(
        files(&fake.installed()),
        [
            "build-version",
            "include/ATen/ATen.h",
            "include/torch/version.h",
            "lib/libc10.so",
            "lib/libcudart.so.13",
            "lib/libtorch.so",
            "lib/libtorch_cpu.so",
            "nncheck-manifest",
        ]
    );
    let library = fake.installed().join("lib/libtorch.so");
    let needed = elf::needed(&library).expect("a library");
    assert!(needed.contains(&"libtorch_cpu.so".to_owned()), "{needed:?}");
    assert!(!needed.iter().any(|library| library.contains("cuda")), "{needed:?}");
    assert_eq!(fs::read_to_string(fake.installed().join("build-version")).expect("read"), "2.11.0\n");
}

#[test]
fn what_is_there_is_not_installed_again() {
    let fake = Fake::with_index();
    fake.run(&INSTALL).with(0);
    assert_eq!(fake.downloads(), 2);
    fake.run(&INSTALL).with(0).saying(&["libtorch 2.11.0 is installed already"]);
    assert_eq!(fake.downloads(), 2);
}

#[test]
fn a_pip_that_downloads_in_order_to_report_is_not_asked_to_download_again() {
    let fake = Fake::with_index();
    fake.set("eager", "");
    fake.run(&INSTALL).with(0);
    assert_eq!(fake.downloads(), 0);
    assert_eq!(fake.cached(), ["libtorch-2.11.0-cpu"]);
}

#[test]
fn what_was_kept_of_a_report_is_not_taken_unless_its_hash_is_right() {
    let fake = Fake::with_index();
    fake.set("eager", "");
    let hash = "0".repeat(64);
    fake.report("torch", "2.11.0", &format!(r#"{{"hash": "sha256={hash}"}}"#));
    fake.run(&INSTALL).with(3).saying(&["its sha256 is", &hash]);
    assert_eq!((fake.downloads(), fake.cached().len()), (1, 0));
}

#[test]
fn the_version_that_was_asked_for_is_installed() {
    let fake = Fake::with_index();
    fake.run(&["libtorch", "install", "--version", "2.13.0"]).with(0).saying(&["fetching torch==2.13.0"]);
    assert_eq!(fake.cached(), ["libtorch-2.13.0-cpu"]);
}

#[test]
fn a_quiet_installation_says_nothing() {
    let ended = Fake::with_index().run(&["libtorch", "install", "-q"]).with(0);
    assert_eq!((ended.out.as_str(), ended.err.as_str()), ("", ""));
}

#[test]
fn a_half_deleted_installation_is_noticed_and_made_anew() {
    // What the file is made to hold; nothing where it is deleted.
    let damages = [
        ("include/torch/version.h", None, "include/torch/version.h is missing"),
        ("lib/libtorch_cpu.so", Some(""), "lib/libtorch_cpu.so has 0 bytes instead of"),
        ("nncheck-manifest", None, "nncheck-manifest is missing"),
    ];
    let fake = Fake::with_index();
    fake.run(&INSTALL).with(0);
    for (file, content, message) in damages {
        let path = fake.installed().join(file);
        content.map_or_else(|| fs::remove_file(&path), |content| fs::write(&path, content)).expect("damaged");
        fake.run(&["libtorch"]).with(3).showing(&[
            "found:  none",
            &format!("is damaged: {message}"),
            "cargo nncheck libtorch install",
        ]);
        fake.run(&["exec", "--", "env"]).with(0).saying(&["is damaged", message, "installed anew"]);
        fake.run(&["libtorch"]).with(0);
        assert_eq!(fake.cached(), ["libtorch-2.11.0-cpu"]);
    }
}

#[test]
fn ctrl_c_leaves_neither_files_nor_processes() {
    let fake = Fake::with_index();
    let (ended, pip) = interrupted(&fake, "-INT");
    ended.with(130).saying(&["interrupted; nothing was installed"]);
    assert_eq!(fake.cached(), [""; 0]);
    wait_until("pip is gone", || !signal("-0", &pip));
    fake.run(&INSTALL).with(0);
}

#[test]
fn what_a_killed_installation_leaves_is_never_taken_for_whole_and_cleaned_up_by_the_next() {
    let fake = Fake::with_index();
    let (ended, pip) = interrupted(&fake, "-KILL");
    assert_eq!(ended.code, None);
    wait_until("pip is gone", || !signal("-0", &pip));
    let left = fake.cached();
    assert!(left.len() == 1 && left[0].starts_with(".staging-"), "{left:?}");
    fake.run(&["libtorch"]).with(3).showing(&["there is no libtorch 2.11.0 in"]);
    fake.run(&INSTALL).with(0);
    assert_eq!(fake.cached(), ["libtorch-2.11.0-cpu"]);
}

#[test]
fn of_two_at_once_the_second_waits_and_finds_the_work_done() {
    let fake = Fake::with_index();
    fake.set("slow", "1");
    let first = start(&fake);
    wait_until("the download has begun", || fake.path("started").exists());
    let second = start(&fake);
    end(second).with(0).saying(&["another nncheck is installing libtorch 2.11.0", "is installed already"]);
    end(first).with(0).saying(&["installed libtorch 2.11.0 in"]);
    assert_eq!(fake.downloads(), 2, "one for each package");
    assert_eq!(fake.cached(), ["libtorch-2.11.0-cpu"]);
}

#[test]
fn one_who_waits_can_be_interrupted() {
    let fake = Fake::with_index();
    fake.set("slow", "60");
    let mut first = start(&fake);
    wait_until("the download has begun", || fake.path("started").exists());
    let second = start(&fake);
    thread::sleep(Duration::from_millis(500));
    assert!(signal("-INT", &second.id().to_string()));
    end(second).with(130);
    assert_eq!(first.try_wait().expect("asked"), None, "the first goes on");
    assert!(signal("-INT", &first.id().to_string()));
    end(first).with(130);
}
