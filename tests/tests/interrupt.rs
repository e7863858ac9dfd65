//! Ctrl-C while measuring leaves no process behind.
#![cfg(target_os = "linux")]

use std::fs;
use std::io::{BufRead, BufReader};
use std::os::unix::process::CommandExt;
use std::process::Stdio;
use std::time::{Duration, Instant};

use nncheck_tests::{command, manifest, program, repository, run_project};

/// The processes of a process group.
fn members(group: i32) -> Vec<String> {
    let Ok(processes) = fs::read_dir("/proc") else { return Vec::new() };
    processes
        .flatten()
        .filter_map(|entry| fs::read_to_string(entry.path().join("stat")).ok())
        .filter(|stat| {
            // pid (name) state parent group: the name may hold anything, but no later parenthesis follows it.
            let mut fields = stat.rsplit(')').next().unwrap_or_default().split_whitespace();
            let (state, group_of) = (fields.next(), fields.nth(1));
            state != Some("Z") && group_of == Some(&group.to_string())
        })
        .collect()
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
    let mut child = command(program(), repository())
        .args(["nncheck", "run", "--manifest-path", &manifest, "--message-format", "json"])
        .args(["--timeout", "10m", "loops::", "sound::"])
        .process_group(0)
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap_or_else(|e| panic!("cargo-nncheck cannot be started: {e}"));
    let group = i32::try_from(child.id()).unwrap_or_else(|e| panic!("{e}"));
    let out = child.stdout.take().unwrap_or_else(|| panic!("standard output is a pipe"));
    let started = BufReader::new(out).lines().map_while(Result::ok).any(|line| line.contains("run_started"));
    assert!(started, "the run started");
    // The command, the harness, and a worker in its endless loop.
    assert!(within(Duration::from_secs(20), || members(group).len() >= 3), "workers start: {:?}", members(group));
    let target = if to_group { -group } else { group };
    // SAFETY: kill takes a process or group id and a signal; the group is the one started above.
    assert_eq!(unsafe { libc::kill(target, signal) }, 0, "the signal is sent");
    let ended = within(Duration::from_secs(5), || members(group).iter().all(|m| m.starts_with(&format!("{group} "))));
    let exited = within(Duration::from_secs(5), || matches!(child.try_wait(), Ok(Some(_))));
    let left = members(group);
    let status = child.wait();
    assert!(ended && exited && left.is_empty(), "left behind: {left:?}");
    assert!(status.is_ok_and(|s| !s.success()), "an interrupted run does not hold");
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
