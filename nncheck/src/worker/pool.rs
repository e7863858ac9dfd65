//! The pool: a queue of tasks and as many worker processes as may run at once.

use std::collections::VecDeque;
use std::process::ExitStatus;
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use nncheck_core::measurement::{Measurement, Request};
use nncheck_core::spec::Subject;

use super::child::{Heard, Worker};
use super::limits;
use super::process::out_of_memory;
use super::protocol::{Failure, JobMessage, Reply};
use crate::cache::Cache;
use crate::subject::Phase;

/// A job for the pool.
#[derive(Clone, Debug)]
pub struct Task {
    /// The caller's name for it.
    pub id: usize,
    /// The training program.
    pub subject: Arc<Subject>,
    /// What covers all parts.
    pub request: Request,
    /// What was asked for, shortest first.
    pub parts: Vec<Request>,
    /// The seed.
    pub seed: u64,
}

/// The answer to one part of a task; each part is answered exactly once.
#[derive(Debug)]
pub struct Answer {
    /// The task.
    pub task: usize,
    /// The index of the part.
    pub part: usize,
    /// The measurement, or why there is none.
    pub result: Result<Measurement, Failure>,
}

type Listener = dyn Fn(Answer) + Send + Sync;

struct Shared {
    queue: Mutex<Queue>,
    work: Condvar,
    listener: Box<Listener>,
    cache: Option<Cache>,
}

#[derive(Default)]
struct Queue {
    waiting: VecDeque<Task>,
    closed: bool,
}

/// Worker processes and what waits for them.
pub struct Pool {
    shared: Arc<Shared>,
    threads: Vec<JoinHandle<()>>,
}

impl std::fmt::Debug for Pool {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Pool").field("workers", &self.threads.len()).finish_non_exhaustive()
    }
}

impl Pool {
    /// A pool of up to `workers` processes, started when there is work; answers go to `listener`, from any thread.
    /// With a cache, what another process of the same run has measured is not measured again.
    pub fn new(workers: usize, cache: Option<Cache>, listener: impl Fn(Answer) + Send + Sync + 'static) -> Self {
        let shared = Arc::new(Shared {
            queue: Mutex::new(Queue::default()),
            work: Condvar::new(),
            listener: Box::new(listener),
            cache,
        });
        let threads = (0..workers.max(1))
            .map(|_| {
                let shared = Arc::clone(&shared);
                std::thread::spawn(move || attend(&shared))
            })
            .collect();
        Self { shared, threads }
    }

    /// Puts a task at the end of the queue.
    pub fn submit(&self, task: Task) {
        let mut queue = self.shared.queue.lock().unwrap_or_else(PoisonError::into_inner);
        queue.waiting.push_back(task);
        drop(queue);
        self.shared.work.notify_one();
    }

    /// Takes tasks that nobody wants any more out of the queue; returns their ids. Running ones go on.
    pub fn withdraw(&self, unwanted: impl Fn(&Task) -> bool) -> Vec<usize> {
        let mut queue = self.shared.queue.lock().unwrap_or_else(PoisonError::into_inner);
        let (gone, kept) = queue.waiting.drain(..).partition::<VecDeque<_>, _>(|t| unwanted(t));
        queue.waiting = kept;
        gone.into_iter().map(|t| t.id).collect()
    }
}

impl Drop for Pool {
    fn drop(&mut self) {
        {
            let mut queue = self.shared.queue.lock().unwrap_or_else(PoisonError::into_inner);
            queue.waiting.clear();
            queue.closed = true;
        }
        self.shared.work.notify_all();
        for thread in self.threads.drain(..) {
            let _panicked = thread.join();
        }
    }
}

/// One slot of the pool: takes tasks and has a worker process do them.
fn attend(shared: &Shared) {
    let mut worker = None;
    while let Some(task) = next(shared) {
        let mut desk = Desk { shared, task: &task, open: vec![true; task.parts.len()] };
        // Another process may be measuring the same: wait for it, and take what it found.
        let claim = shared.cache.as_ref().map(|cache| cache.claim(&task.subject, task.seed, &task.request));
        desk.answer_from_cache();
        if desk.open.contains(&true) {
            let failure = attempt(&task, &mut worker, &mut |part, result| desk.answer(part, result));
            for (part, request) in task.parts.iter().enumerate().filter(|_| task.mixed()) {
                // Whether it was this part that the others died of is only known of it alone.
                if desk.open[part] {
                    let alone = Task { request: request.clone(), parts: vec![request.clone()], ..task.clone() };
                    let failure = attempt(&alone, &mut worker, &mut |_, result| desk.answer(part, result));
                    desk.answer(part, Err(failure));
                }
            }
            for part in 0..task.parts.len() {
                desk.answer(part, Err(failure.clone()));
            }
        }
        drop(claim);
    }
}

impl Task {
    /// Whether other things are measured on the way of a training run.
    fn mixed(&self) -> bool {
        self.parts.len() > 1 && self.parts.iter().any(|part| part.after().is_some())
    }
}

/// Has a task done; returns what to say of the parts that were not answered.
fn attempt(
    task: &Task,
    worker: &mut Option<Worker>,
    part: &mut dyn FnMut(usize, Result<Measurement, Failure>),
) -> Failure {
    run(task, worker, part).err().unwrap_or_else(|| Failure {
        cause: "the worker was done, but left something out (this is a fault in nncheck)".to_owned(),
        help: Vec::new(),
    })
}

/// Hands out a task's answers, each part's once.
struct Desk<'a> {
    shared: &'a Shared,
    task: &'a Task,
    open: Vec<bool>,
}

impl Desk<'_> {
    fn answer(&mut self, part: usize, result: Result<Measurement, Failure>) {
        if self.open.get(part) != Some(&true) {
            return;
        }
        if let Some(cache) = &self.shared.cache {
            cache.put(&self.task.subject, self.task.seed, &self.task.parts[part], &result);
        }
        self.hand_out(part, result);
    }

    fn answer_from_cache(&mut self) {
        let Some(cache) = &self.shared.cache else { return };
        for (index, part) in self.task.parts.iter().enumerate() {
            if let Some(result) = cache.get(&self.task.subject, self.task.seed, part) {
                self.hand_out(index, result);
            }
        }
    }

    fn hand_out(&mut self, part: usize, result: Result<Measurement, Failure>) {
        self.open[part] = false;
        (self.shared.listener)(Answer { task: self.task.id, part, result });
    }
}

fn next(shared: &Shared) -> Option<Task> {
    let mut queue = shared.queue.lock().unwrap_or_else(PoisonError::into_inner);
    loop {
        if queue.closed {
            return None;
        }
        if let Some(task) = queue.waiting.pop_front() {
            return Some(task);
        }
        queue = shared.work.wait(queue).unwrap_or_else(PoisonError::into_inner);
    }
}

/// Has `task` done by `slot`'s worker, started if need be; a worker that failed is ended, and the slot is empty.
fn run(
    task: &Task,
    slot: &mut Option<Worker>,
    part: &mut dyn FnMut(usize, Result<Measurement, Failure>),
) -> Result<(), Failure> {
    let message = JobMessage {
        subject: (*task.subject).clone(),
        request: task.request.clone(),
        parts: task.parts.clone(),
        seed: task.seed,
    };
    let mut worker = match slot.take() {
        Some(worker) if !task.request.fresh_process() => worker,
        _ => Worker::start().map_err(|e| not_started(&e))?,
    };
    if worker.send(&message).is_err() {
        // It ended between two jobs, for whatever reason: this job gets a fresh one.
        worker = Worker::start().map_err(|e| not_started(&e))?;
        worker.send(&message).map_err(|e| not_started(&e))?;
    }
    let timeout = Duration::from_millis(task.subject.timeout_ms);
    let deadline = Instant::now() + timeout;
    let mut phase = Phase::Data;
    loop {
        match worker.hear(deadline) {
            Heard::Reply(Reply::Phase(reached)) => phase = reached,
            Heard::Reply(Reply::Part(index, measured)) => part(index, *measured),
            Heard::Reply(Reply::Done) => {
                *slot = Some(worker);
                return Ok(());
            }
            Heard::Reply(Reply::Failed(failure)) => {
                // After a panic it ends by itself; after an error of the spec or the data it serves on.
                if !failure.cause.starts_with("panicked") && !failure.cause.starts_with("needs more") {
                    *slot = Some(worker);
                    return Err(failure);
                }
                let (_, words) = worker.ended();
                return Err(in_phase(failure, &phase, &words));
            }
            Heard::Overdue => {
                let (_, words) = worker.end();
                return Err(with_words(overdue(timeout, &phase), &words));
            }
            Heard::Ended => {
                let (status, words) = worker.ended();
                return Err(died(status, &words, &phase, task.subject.memory));
            }
        }
    }
}

fn not_started(error: &std::io::Error) -> Failure {
    Failure { cause: format!("a worker process could not be started: {error}"), help: Vec::new() }
}

fn in_phase(failure: Failure, phase: &Phase, words: &str) -> Failure {
    let cause = format!("{} while {}", failure.cause, phase.words());
    with_words(Failure { cause, ..failure }, words)
}

fn overdue(timeout: Duration, phase: &Phase) -> Failure {
    Failure {
        cause: format!("took longer than the timeout of {timeout:?} while {}", phase.words()),
        help: vec![
            "look for a loop that does not end".to_owned(),
            "or raise `timeout` in [run], or pass --timeout".to_owned(),
        ],
    }
}

/// How a worker that ended by itself is told of.
fn died(status: Option<ExitStatus>, words: &str, phase: &Phase, memory: u64) -> Failure {
    if limits::is_out_of_memory(words) {
        // The first such line: what fails after it is the failure's own telling.
        let line = words.lines().find(|l| limits::is_out_of_memory(l)).unwrap_or(words);
        return in_phase(out_of_memory(line, memory), phase, "");
    }
    let how = match status {
        None => "the process ended".to_owned(),
        Some(status) => match (signal(status), status.code()) {
            (Some(6), _) => "the process aborted (SIGABRT)".to_owned(),
            (Some(9), _) => "the process was killed (SIGKILL; perhaps the system ran out of memory)".to_owned(),
            (Some(11), _) => "the process crashed (SIGSEGV)".to_owned(),
            (Some(other), _) => format!("the process was ended by signal {other}"),
            (None, Some(code)) => format!("the process exited with code {code}"),
            (None, None) => "the process ended".to_owned(),
        },
    };
    with_words(
        Failure {
            cause: format!("{how} while {}", phase.words()),
            help: vec![
                "code under test must return or panic; `std::process::exit` and `abort` end its process".to_owned(),
            ],
        },
        words,
    )
}

fn with_words(mut failure: Failure, words: &str) -> Failure {
    if !words.is_empty() {
        let lines: Vec<&str> = words.lines().collect();
        let last = &lines[lines.len().saturating_sub(8)..];
        failure.cause = format!("{}\nit had printed:\n  {}", failure.cause, last.join("\n  "));
    }
    failure
}

#[cfg(unix)]
fn signal(status: ExitStatus) -> Option<i32> {
    use std::os::unix::process::ExitStatusExt;
    status.signal()
}

#[cfg(not(unix))]
fn signal(_status: ExitStatus) -> Option<i32> {
    None
}
