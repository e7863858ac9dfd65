//! Ctrl-C while measuring leaves no process behind.
#![cfg(target_os = "linux")]

use std::fs;
use std::io::{BufRead, BufReader};
use std::os::unix::process::CommandExt;
use std::process::{Child, Stdio};
use std::time::{Duration, Instant};

use nncheck_tests::{command, manifest, program, repository, run_project};

/// A process: its number, and when it started, which tells it from a later one of the same number.
type Process = (i32, String);

/// All running processes, each with its parent's number.
fn running() -> Vec<(Process, i32)> {
    let Ok(processes) = fs::read_dir("/proc") else { return Vec::new() };
    processes
        .flatten()
        .filter_map(|entry| {
            let stat = fs::read_to_string(entry.path().join("stat")).ok()?;
            // number (name) state parent ...: the name may hold anything, but no later parenthesis follows it.
            let (head, tail) = stat.rsplit_once(')')?;
            let fields: Vec<&str> = tail.split_whitespace().collect();
            let number = head.split_whitespace().next()?.parse().ok()?;
            let ended = matches!(*fields.first()?, "Z" | "X");
            (!ended).then_some(((number, (*fields.get(19)?).to_owned()), fields.get(1)?.parse().ok()?))
        })
        .collect()
}

/// A process and all that it started, and those started, while they run.
fn family(of: i32) -> Vec<Process> {
    let all = running();
    let mut family: Vec<Process> = all.iter().filter(|(p, _)| p.0 == of).map(|(p, _)| p.clone()).collect();
    let mut next = 0;
    while let Some(parent) = family.get(next).map(|p| p.0) {
        family.extend(all.iter().filter(|(_, of)| *of == parent).map(|(p, _)| p.clone()));
        next += 1;
    }
    family
}

/// Those of `family` that still run.
fn left(family: &[Process]) -> Vec<Process> {
    running().into_iter().map(|(p, _)| p).filter(|p| family.contains(p)).collect()
}

fn within(patience: Duration, mut holds: impl FnMut() -> bool) -> bool {
    let started = Instant::now();
    while started.elapsed() < patience {
        if holds() {
            return true;
        }
        std::thread::sleep(Duration::from_millis(50));
    }
    false
}

fn interrupted(signal: i32, to_group: bool) {
    // Built beforehand, so that the signal comes while measuring.
    let _built = run_project("unruly", &["sound::finite"]).exits_with(0);
    let manifest = manifest("unruly");
    let mut run = command(program(), repository());
    // Whoever starts the tests in the background has interrupts ignored, and that is inherited.
    // SAFETY: `signal` may be called between fork and exec.
    let run = unsafe {
        run.pre_exec(|| {
            libc::signal(libc::SIGINT, libc::SIG_DFL);
            Ok(())
        })
    };
    let mut child = run
        .args(["nncheck", "run", "--manifest-path", &manifest, "--message-format", "json"])
        .args(["--timeout", "10m", "loops::", "sound::"])
        .process_group(0)
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap_or_else(|e| panic!("cargo-nncheck cannot be started: {e}"));
    let out = child.stdout.take().unwrap_or_else(|| panic!("standard output is a pipe"));
    let started = BufReader::new(out).lines().map_while(Result::ok).any(|line| line.contains("run_started"));
    assert!(started, "the run started");
    // The command, the harness, and a worker in its endless loop.
    let group = child_number(&child);
    assert!(within(Duration::from_secs(20), || family(group).len() >= 3), "workers start: {:?}", family(group));
    let family = family(group);
    let target = if to_group { -group } else { group };
    // SAFETY: kill takes a process or group id and a signal; the group is the one started above.
    assert_eq!(unsafe { libc::kill(target, signal) }, 0, "the signal is sent");
    let exited = within(Duration::from_secs(5), || matches!(child.try_wait(), Ok(Some(_))));
    let gone = within(Duration::from_secs(5), || left(&family).is_empty());
    let left = left(&family);
    if !exited {
        let _gone = child.kill();
    }
    let status = child.wait();
    assert!(exited && gone, "left behind: {left:?}");
    assert!(status.is_ok_and(|s| !s.success()), "an interrupted run does not hold");
}

fn child_number(child: &Child) -> i32 {
    i32::try_from(child.id()).unwrap_or_else(|e| panic!("{e}"))
}

#[test]
fn ctrl_c_on_the_terminal_leaves_nothing_behind() {
    interrupted(libc::SIGINT, true);
}

#[test]
fn an_interrupt_of_the_command_alone_leaves_nothing_behind() {
    interrupted(libc::SIGINT, false);
}

#[test]
fn a_killed_command_leaves_nothing_behind() {
    interrupted(libc::SIGKILL, false);
}
