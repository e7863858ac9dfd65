//! The harness's side of one worker process: start, job, answers with a deadline, last words, end.

use std::collections::VecDeque;
use std::io::{self, BufReader, Read};
use std::path::PathBuf;
use std::process::{Child, ChildStdin, Command, ExitStatus, Stdio};
use std::sync::mpsc::{self, Receiver, RecvTimeoutError};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use super::process::WORKER;
use super::protocol::{JobMessage, Reply, read_frame, write_frame};

/// How much of a worker's output is kept for its failure.
const LAST_WORDS: usize = 16 * 1024;

/// A running worker.
pub(super) struct Worker {
    child: Child,
    jobs: ChildStdin,
    replies: Receiver<Reply>,
    output: Arc<Mutex<VecDeque<u8>>>,
    output_ended: Receiver<()>,
}

/// What came of waiting for a worker.
pub(super) enum Heard {
    Reply(Reply),
    /// Nothing until the deadline.
    Overdue,
    /// It ended.
    Ended,
}

/// The program that runs, even where another was built in its place since.
fn running_program() -> io::Result<PathBuf> {
    if cfg!(target_os = "linux") { Ok(PathBuf::from("/proc/self/exe")) } else { std::env::current_exe() }
}

impl Worker {
    /// Starts the running executable again, as a worker.
    pub(super) fn start() -> io::Result<Self> {
        let mut child = Command::new(running_program()?)
            .env(WORKER, "1")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()?;
        let gone = || io::Error::other("a worker without pipes");
        let jobs = child.stdin.take().ok_or_else(gone)?;
        let from = child.stdout.take().ok_or_else(gone)?;
        let errors = child.stderr.take().ok_or_else(gone)?;
        let (sender, replies) = mpsc::channel();
        std::thread::spawn(move || {
            let mut from = BufReader::new(from);
            while let Ok(Some(frame)) = read_frame(&mut from) {
                let Ok(reply) = postcard::from_bytes(&frame) else { break };
                if sender.send(reply).is_err() {
                    break;
                }
            }
        });
        let output = Arc::new(Mutex::new(VecDeque::new()));
        let kept = Arc::clone(&output);
        let (ended, output_ended) = mpsc::channel();
        std::thread::spawn(move || {
            keep_last(errors, &kept);
            drop(ended);
        });
        Ok(Self { child, jobs, replies, output, output_ended })
    }

    /// Hands it a job; what it printed before is forgotten.
    pub(super) fn send(&mut self, job: &JobMessage) -> io::Result<()> {
        if let Ok(mut output) = self.output.lock() {
            output.clear();
        }
        write_frame(&mut self.jobs, &serde_json::to_vec(job)?)
    }

    /// The next reply.
    pub(super) fn hear(&self, deadline: Instant) -> Heard {
        match self.replies.recv_timeout(deadline.saturating_duration_since(Instant::now())) {
            Ok(reply) => Heard::Reply(reply),
            Err(RecvTimeoutError::Timeout) => Heard::Overdue,
            Err(RecvTimeoutError::Disconnected) => Heard::Ended,
        }
    }

    /// Ends it, and says how it ended with the last it printed.
    pub(super) fn end(mut self) -> (Option<ExitStatus>, String) {
        let _already_gone = self.child.kill();
        let status = self.child.wait().ok();
        // A grandchild may hold the pipe open: do not wait for it.
        let _silence = self.output_ended.recv_timeout(Duration::from_millis(200));
        (status, self.last_words())
    }

    /// How it ended by itself.
    pub(super) fn ended(mut self) -> (Option<ExitStatus>, String) {
        let patience = Instant::now() + Duration::from_secs(2);
        while Instant::now() < patience {
            if let Ok(Some(status)) = self.child.try_wait() {
                let _silence = self.output_ended.recv_timeout(Duration::from_millis(200));
                return (Some(status), self.last_words());
            }
            std::thread::sleep(Duration::from_millis(2));
        }
        self.end()
    }

    fn last_words(&self) -> String {
        let bytes: Vec<u8> = self.output.lock().map(|o| o.iter().copied().collect()).unwrap_or_default();
        String::from_utf8_lossy(&bytes).trim().to_owned()
    }
}

impl Drop for Worker {
    fn drop(&mut self) {
        let _already_gone = self.child.kill();
        let _reaped = self.child.wait();
    }
}

fn keep_last(mut from: impl Read, kept: &Mutex<VecDeque<u8>>) {
    let mut buffer = [0; 4096];
    while let Ok(n @ 1..) = from.read(&mut buffer) {
        let Ok(mut kept) = kept.lock() else { return };
        kept.extend(&buffer[..n]);
        let over = kept.len().saturating_sub(LAST_WORDS);
        kept.drain(..over);
    }
}
