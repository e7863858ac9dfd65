//! The worker's side: reads jobs, measures, answers. User code may print whatever it likes: the channel to the harness
//! is moved off standard input and output before any of it runs.

use std::cell::RefCell;
use std::fs::File;
use std::io::BufReader;
use std::process::ExitCode;
use std::sync::mpsc::{self, Receiver};

use super::limits;
use super::panics::{self, Panic};
use super::protocol::{Failure, JobMessage, Reply, read_frame, write_frame};
use crate::bindings::Bindings;
use crate::measure::{self, Job};
use crate::subject::error::below_here;
use crate::subject::{Phase, SubjectError, Tensors};

/// Set in the environment of a worker.
pub(super) const WORKER: &str = "NNCHECK_WORKER";

/// Whether this process was started as a worker.
#[must_use]
pub fn is_worker() -> bool {
    std::env::var_os(WORKER).is_some()
}

/// Serves jobs until the harness hangs up.
#[must_use]
pub fn serve(bindings: &Bindings) -> ExitCode {
    limits::die_with_parent();
    limits::keep_freed_memory();
    let Ok((from_harness, mut to_harness)) = channel::take() else { return ExitCode::from(3) };
    panics::install_hook();
    let jobs = read_jobs(from_harness);
    let mut served = Server { bindings, data: None };
    while let Ok(job) = jobs.recv() {
        limits::limit_memory(job.subject.memory);
        let reply = match panics::catch(|| served.run(&job, &mut to_harness)) {
            Ok(Ok(())) => Reply::Done,
            Ok(Err(error)) => Reply::Failed(error.into()),
            Err(panic) => {
                // The process may be in any state now (locked variables, a grad mode left off): it is not used again.
                let _sent = send(&mut to_harness, &Reply::Failed(failure_of(&panic, &job, served.shape())));
                // SAFETY: ends the process at once, without the destructors of a state that is not to be trusted.
                unsafe { libc::_exit(0) }
            }
        };
        if send(&mut to_harness, &reply).is_err() {
            break;
        }
    }
    ExitCode::SUCCESS
}

struct Server<'a> {
    bindings: &'a Bindings,
    /// The data of the last job, with the description that it was read for.
    data: Option<(String, Tensors)>,
}

impl Server<'_> {
    fn shape(&self) -> Option<&[usize]> {
        self.data.as_ref().map(|(_, data)| data.shape.as_slice())
    }

    fn run(&mut self, job: &JobMessage, to: &mut File) -> Result<(), SubjectError> {
        let subject = &job.subject;
        tch::set_num_threads(i32::try_from(subject.threads).unwrap_or(1).max(1));
        say(to, &Reply::Phase(Phase::Data));
        let key = format!("{:?}", (&subject.data, subject.task(), subject.dtype, subject.device));
        if self.data.as_ref().is_none_or(|(known, _)| *known != key) {
            self.data = None;
            self.data = Some((key, Tensors::load(subject, self.bindings)?));
        }
        let Some((_, data)) = &self.data else { return Ok(()) };
        say(to, &Reply::Phase(Phase::Building));
        let to = RefCell::new(to);
        measure::measure(
            subject,
            data,
            self.bindings,
            Job { request: &job.request, parts: &job.parts, seed: job.seed },
            &mut || say(&mut to.borrow_mut(), &Reply::Phase(Phase::Measuring)),
            &mut |index, measured| {
                say(&mut to.borrow_mut(), &Reply::Part(index, Box::new(measured.map_err(Failure::from))));
            },
        )
    }
}

/// Says something in the middle of a job. Where nobody listens any more, there is nothing left to do.
fn say(to: &mut File, reply: &Reply) {
    if send(to, reply).is_err() {
        std::process::exit(0);
    }
}

fn send(to: &mut File, reply: &Reply) -> std::io::Result<()> {
    let body = postcard::to_stdvec(reply).map_err(std::io::Error::other)?;
    write_frame(to, &body)
}

/// Reads jobs on a thread of its own, so that the end of the harness ends this process even in the middle of a
/// measurement.
fn read_jobs(from: File) -> Receiver<JobMessage> {
    let (sender, receiver) = mpsc::channel();
    std::thread::spawn(move || {
        let mut from = BufReader::new(from);
        while let Ok(Some(frame)) = read_frame(&mut from) {
            let Ok(job) = serde_json::from_slice(&frame) else { break };
            if sender.send(job).is_err() {
                break;
            }
        }
        // SAFETY: ends the process at once; nothing here needs its destructors run.
        unsafe { libc::_exit(0) }
    });
    receiver
}

/// `shape`: of one example, where the data has been read.
fn failure_of(panic: &Panic, job: &JobMessage, shape: Option<&[usize]>) -> Failure {
    if limits::is_out_of_memory(&panic.words) {
        return out_of_memory(&panic.words, job.subject.memory);
    }
    let mut help = Vec::new();
    if let Some(shape) = shape.filter(|_| panic.words.contains("shape") || panic.words.contains("size")) {
        let shape: Vec<String> = shape.iter().map(usize::to_string).collect();
        help.push(format!("the model is given [batch, {}]; `shape` in [data] sets it", shape.join(", ")));
    }
    let subject = &job.subject;
    if subject.data.classes.is_none()
        && matches!(&subject.loss.terms[..], [term] if term.kind.is_none())
        && panic.words.contains("target")
    {
        help.push(
            "without `kind` in [loss] and without `classes` in [data], targets are numbers [n, 1]; for class ids [n] \
             state one of them"
                .to_owned(),
        );
    }
    if panic.words.contains("index out of range in self") {
        help.push(
            "a token is not below the `size` of its `embedding`: give it as many rows as there are tokens".to_owned(),
        );
    }
    if panic.words.starts_with("batch norm needs more than one value") {
        help.push(
            "raise `batch` in [data], or use another normalisation: batch norm cannot train on single rows".to_owned(),
        );
    }
    // A place inside tch is only where it unwraps libtorch's errors, and one inside nncheck's own layers says nothing of the
    // user's program.
    let place = panic
        .place
        .as_deref()
        .filter(|p| !p.contains("/tch-") && !p.starts_with(concat!(env!("CARGO_MANIFEST_DIR"), "/src")));
    let place = place.map(|p| format!(" (at {p})")).unwrap_or_default();
    Failure { cause: below_here(&format!("panicked: {}{place}", panic.words)), help }
}

pub(super) fn out_of_memory(words: &str, limit: u64) -> Failure {
    #[expect(clippy::cast_precision_loss, reason = "shown with one decimal")]
    let gib = limit as f64 / f64::from(1 << 30);
    let first = words.lines().next().unwrap_or_default();
    Failure {
        cause: format!("needs more than the {gib:.1} GiB that a worker may take: {first}"),
        help: vec!["look for an allocation that grows without end".to_owned(), "or raise `memory` in [run]".to_owned()],
    }
}

/// Standard input and output, moved out of the reach of user code.
mod channel {
    use std::fs::{File, OpenOptions};
    use std::io;

    #[cfg(unix)]
    pub(super) fn take() -> io::Result<(File, File)> {
        use std::os::fd::{AsRawFd, FromRawFd};

        let null = OpenOptions::new().read(true).open("/dev/null")?;
        // SAFETY: duplicates and replaces descriptors that this process owns; the new ones are owned by the files.
        unsafe {
            let (input, output) = (libc::fcntl(0, libc::F_DUPFD_CLOEXEC, 3), libc::fcntl(1, libc::F_DUPFD_CLOEXEC, 3));
            if input < 0 || output < 0 || libc::dup2(null.as_raw_fd(), 0) < 0 || libc::dup2(2, 1) < 0 {
                return Err(io::Error::last_os_error());
            }
            Ok((File::from_raw_fd(input), File::from_raw_fd(output)))
        }
    }

    #[cfg(not(unix))]
    pub(super) fn take() -> io::Result<(File, File)> {
        let _unused = OpenOptions::new();
        Err(io::Error::other("worker processes need a Unix system in this version"))
    }
}
