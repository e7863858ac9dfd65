//! Child processes that never outlive us.
//!
//! Each child leads a process group of its own, so that whatever it starts ends with it; on Linux the kernel ends the
//! child even where we are killed without a chance to clean up.

use std::io::{self, Read};
use std::process::{Child, Command, ExitStatus, Output, Stdio};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

/// Ids of the children that run now. An id is taken out under the same lock that reaps the child, so that no signal
/// ever goes to a stranger who was given the same number.
static RUNNING: Mutex<Vec<u32>> = Mutex::new(Vec::new());

/// How long a child has between the request to end and the end.
const GRACE: Duration = Duration::from_secs(2);
const POLL: Duration = Duration::from_millis(20);

fn running() -> MutexGuard<'static, Vec<u32>> {
    RUNNING.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A child process that is ended when this value is dropped before the child is done.
#[derive(Debug)]
pub struct Guarded {
    child: Child,
    status: Option<ExitStatus>,
}

/// Starts `command` as a guarded child.
pub fn spawn(command: &mut Command) -> io::Result<Guarded> {
    isolate(command);
    // Held over the start, so that a signal in between finds the child registered.
    let mut running = running();
    let child = command.spawn()?;
    running.push(child.id());
    Ok(Guarded { child, status: None })
}

impl Guarded {
    /// The process itself, for its streams.
    pub fn process(&mut self) -> &mut Child {
        &mut self.child
    }

    /// The child's exit status, if it is done.
    pub fn try_wait(&mut self) -> io::Result<Option<ExitStatus>> {
        if self.status.is_none() {
            let mut running = running();
            self.status = self.child.try_wait()?;
            if self.status.is_some() {
                running.retain(|&id| id != self.child.id());
            }
        }
        Ok(self.status)
    }

    /// Waits until the child is done, calling `meanwhile` some ten times a second.
    pub fn wait_and(&mut self, mut meanwhile: impl FnMut()) -> io::Result<ExitStatus> {
        let mut pause = Duration::from_millis(1);
        loop {
            if let Some(status) = self.try_wait()? {
                return Ok(status);
            }
            meanwhile();
            thread::sleep(pause);
            pause = (pause * 2).min(Duration::from_millis(100));
        }
    }

    /// Waits until the child is done.
    pub fn wait(&mut self) -> io::Result<ExitStatus> {
        self.wait_and(|| ())
    }

    /// Ends the child and everything that it started: asked first, forced after a while.
    pub fn end(&mut self) {
        if matches!(self.try_wait(), Ok(None)) {
            signal(self.child.id(), Signal::Ask);
            let deadline = Instant::now() + GRACE;
            while matches!(self.try_wait(), Ok(None)) {
                if Instant::now() >= deadline {
                    signal(self.child.id(), Signal::Force);
                    // A forced end needs no asking; what is left is to reap it.
                    let _ = self.child.kill();
                    let _ = self.wait();
                    return;
                }
                thread::sleep(POLL);
            }
        }
    }
}

impl Drop for Guarded {
    fn drop(&mut self) {
        self.end();
    }
}

/// Runs `command` to its end as a guarded child and collects what it prints.
pub fn output(command: &mut Command) -> io::Result<Output> {
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = spawn(command)?;
    let mut stderr = child.process().stderr.take();
    // Both streams at once: a child that fills one while the other is being read would wait for ever.
    let reader = thread::spawn(move || read_all(stderr.as_mut()));
    let mut stdout = child.process().stdout.take();
    let stdout = read_all(stdout.as_mut());
    let status = child.wait()?;
    let stderr = reader.join().unwrap_or_else(|_| Err(io::Error::other("the reader of standard error failed")));
    Ok(Output { status, stdout: stdout?, stderr: stderr? })
}

fn read_all(stream: Option<&mut impl Read>) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    if let Some(stream) = stream {
        stream.read_to_end(&mut bytes)?;
    }
    Ok(bytes)
}

/// Ends every guarded child. Called from the thread that handles signals.
pub(crate) fn end_all() {
    for &id in running().iter() {
        signal(id, Signal::Ask);
    }
    let deadline = Instant::now() + GRACE;
    while Instant::now() < deadline && !running().is_empty() {
        thread::sleep(POLL);
    }
    for &id in running().iter() {
        signal(id, Signal::Force);
    }
}

#[derive(Clone, Copy)]
enum Signal {
    Ask,
    Force,
}

#[cfg(unix)]
fn isolate(command: &mut Command) {
    use std::os::unix::process::CommandExt;
    command.process_group(0);
    #[cfg(target_os = "linux")]
    {
        let parent = std::process::id();
        // SAFETY: between fork and exec the closure calls only prctl and getppid, which are async-signal-safe, and
        // allocates nothing.
        unsafe {
            command.pre_exec(move || {
                libc::prctl(libc::PR_SET_PDEATHSIG, libc::SIGKILL);
                // The parent may have died before the request was heard.
                if libc::getppid().cast_unsigned() == parent {
                    Ok(())
                } else {
                    Err(io::Error::from_raw_os_error(libc::ESRCH))
                }
            });
        }
    }
}

#[cfg(not(unix))]
fn isolate(_: &mut Command) {}

#[cfg(unix)]
fn signal(id: u32, signal: Signal) {
    let number = match signal {
        Signal::Ask => libc::SIGTERM,
        Signal::Force => libc::SIGKILL,
    };
    let Ok(group) = libc::pid_t::try_from(id) else { return };
    // SAFETY: a plain system call on numbers; a group that is gone already is reported as an error, which is fine.
    unsafe {
        libc::killpg(group, number);
    }
}

// Without process groups the console delivers Ctrl-C to the children itself, and `Guarded::end` kills the child.
#[cfg(not(unix))]
fn signal(_: u32, _: Signal) {}

#[cfg(all(test, unix))]
mod tests {
    use super::*;

    fn alive(id: u32) -> bool {
        // SAFETY: signal 0 only asks whether the process exists.
        unsafe { libc::kill(libc::pid_t::try_from(id).expect("a process id"), 0) == 0 }
    }

    #[test]
    fn a_child_reports_its_exit_status() {
        let mut child = spawn(Command::new("sh").args(["-c", "exit 7"])).expect("sh starts");
        assert_eq!(child.wait().expect("it ends").code(), Some(7));
    }

    #[test]
    fn a_dropped_child_is_ended_with_what_it_started() {
        let folder = tempfile::tempdir().expect("a folder");
        let note = folder.path().join("grandchild");
        let script = format!("sleep 60 & echo $! > {0}.tmp; mv {0}.tmp {0}; wait", note.display());
        let child = spawn(Command::new("sh").args(["-c", &script])).expect("sh starts");
        let started = Instant::now();
        while !note.exists() {
            assert!(started.elapsed() < Duration::from_secs(20), "the script did not start");
            thread::sleep(POLL);
        }
        let grandchild: u32 = std::fs::read_to_string(&note).expect("written").trim().parse().expect("an id");
        drop(child);
        let started = Instant::now();
        while alive(grandchild) {
            assert!(started.elapsed() < Duration::from_secs(20), "the grandchild lives on");
            thread::sleep(POLL);
        }
    }

    #[test]
    fn a_child_that_ignores_the_request_is_forced() {
        let mut child =
            spawn(Command::new("sh").args(["-c", "trap '' TERM; while :; do sleep 0.05; done"])).expect("sh");
        thread::sleep(Duration::from_millis(200));
        child.end();
        assert!(matches!(child.try_wait(), Ok(Some(status)) if status.code().is_none()));
    }
}
