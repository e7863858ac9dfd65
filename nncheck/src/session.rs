//! A session: measurements are taken once each for all properties that want them, and properties are judged as soon as
//! theirs are there. A verdict never depends on which other properties ran;
//! only whether a property of a ladder is judged at all depends on the rungs below it.

use std::collections::{BTreeMap, HashMap};
use std::ops::Range;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::Instant;

use nncheck_core::evaluate::{self, Evaluation};
use nncheck_core::measurement::{Measurement, Request};
use nncheck_core::plan;
use nncheck_core::report::event::{Progress, PropertyEvent};
use nncheck_core::suite::{PropertyId, Suite};

use crate::cache::Cache;
use crate::worker::{Answer, Failure, Pool, Task};

/// A measurement's address: spec and its subject, seed, request.
type Key = ((usize, usize), u64, String);

/// Hears how far the measuring is.
pub type Listener = dyn Fn(Progress) + Send + Sync;

/// One run over some properties of a suite.
pub struct Session {
    suite: Arc<Suite>,
    package: String,
    pool: Pool,
    board: Arc<Board>,
    whole_specs: bool,
    /// What was selected, with the verdicts so far.
    verdicts: BTreeMap<PropertyId, OnceLock<PropertyEvent>>,
}

impl std::fmt::Debug for Session {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Session").field("package", &self.package).finish_non_exhaustive()
    }
}

/// Where answers are put up, and who waits for them.
struct Board {
    state: Mutex<State>,
    changed: Condvar,
    listener: Box<Listener>,
}

#[derive(Default)]
struct State {
    slots: HashMap<Key, Slot>,
    /// The key of each part of each task.
    tasks: Vec<Vec<Key>>,
    done: usize,
    withdrawn: usize,
}

struct Slot {
    answer: Option<Result<Arc<Measurement>, Failure>>,
    /// Properties that still wait for it.
    wanted: usize,
}

impl Board {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn put_up(&self, answer: Answer) {
        let mut state = self.state();
        let Some(parts) = state.tasks.get(answer.task) else { return };
        let (key, last) = (parts[answer.part].clone(), answer.part + 1 == parts.len());
        if let Some(slot) = state.slots.get_mut(&key) {
            slot.answer = Some(answer.result.map(Arc::new));
        }
        state.done += usize::from(last);
        let progress = Progress { done: state.done, total: state.tasks.len() - state.withdrawn, now: None };
        drop(state);
        self.changed.notify_all();
        (self.listener)(progress);
    }
}

impl Session {
    /// Starts measuring what `selected` needs at first, with up to `workers` processes at once.
    pub fn start(
        suite: Arc<Suite>,
        package: impl Into<String>,
        selected: &[PropertyId],
        workers: usize,
        cache: Option<Cache>,
        listener: impl Fn(Progress) + Send + Sync + 'static,
    ) -> Self {
        let board = Arc::new(Board {
            state: Mutex::new(State::default()),
            changed: Condvar::new(),
            listener: Box::new(listener),
        });
        let to_board = Arc::clone(&board);
        let whole_specs = cache.is_some();
        let pool = Pool::new(workers, cache, move |answer| to_board.put_up(answer));
        let verdicts = selected.iter().map(|&id| (id, OnceLock::new())).collect();
        let session = Self { suite, package: package.into(), pool, board, whole_specs, verdicts };
        let wanted: Vec<_> = selected.iter().map(|&id| (id, session.seeds(id, 0, session.first_look(id)))).collect();
        session.submit(&wanted);
        session
    }

    /// Judges one property; blocks until its measurements are there, and those of the rungs below it.
    #[must_use]
    pub fn verdict(&self, id: PropertyId) -> PropertyEvent {
        match self.verdicts.get(&id) {
            Some(verdict) => verdict.get_or_init(|| self.judge(id)).clone(),
            None => self.judge(id),
        }
    }

    /// The lowest rung below a property's own on which something that was selected fails the run.
    fn blocking_rung(&self, id: PropertyId) -> Option<&str> {
        let (spec, _) = self.suite.get(id);
        spec.rung.as_ref()?;
        let below = self
            .verdicts
            .iter()
            .filter(|(other, _)| other.spec < id.spec && self.suite.get(**other).0.name == spec.name);
        let failing =
            below.into_iter().find(|(other, verdict)| verdict.get_or_init(|| self.judge(**other)).fails_the_run());
        failing.and_then(|(other, _)| self.suite.get(*other).0.rung.as_ref()).map(|rung| rung.name.as_str())
    }

    fn judge(&self, id: PropertyId) -> PropertyEvent {
        let (spec, property) = self.suite.get(id);
        if let Some(rung) = self.blocking_rung(id) {
            self.forget(id, self.seeds(id, 0, self.first_look(id)));
            return evaluate::blocked(&self.package, spec, property, rung);
        }
        if let Some(reason) = property.moot(spec) {
            return evaluate::moot(&self.package, spec, property, &reason);
        }
        let started = Instant::now();
        let elapsed = || started.elapsed().as_secs_f64() * 1e3;
        let mut looked = 0;
        let mut look = self.first_look(id);
        let event = loop {
            if looked > 0 {
                self.submit(&[(id, self.seeds(id, looked, look))]);
            }
            looked = look;
            match self.wait(id, self.seeds(id, 0, look)) {
                Err((seed, request, failure)) => {
                    let failure = evaluate::Failure {
                        cause: failure.cause,
                        what: format!("{} with seed {seed}", request.words()),
                        help: failure.help,
                    };
                    break evaluate::failed(&self.package, spec, property, &failure, elapsed());
                }
                Ok(taken) => match evaluate::evaluate(&self.package, spec, property, &taken, elapsed()) {
                    Evaluation::Decided(event) => break *event,
                    Evaluation::More(seeds) => look = seeds.max(look + 1),
                },
            }
        };
        self.forget(id, self.seeds(id, 0, looked));
        event
    }

    fn first_look(&self, id: PropertyId) -> u32 {
        let (spec, property) = self.suite.get(id);
        evaluate::first_look(spec, property)
    }

    fn seeds(&self, id: PropertyId, from: u32, to: u32) -> Range<u64> {
        let first = self.suite.get(id).0.run.seed;
        first.saturating_add(from.into())..first.saturating_add(to.into())
    }

    fn requests(&self, id: PropertyId) -> Vec<Request> {
        let (spec, property) = self.suite.get(id);
        property.requests(spec)
    }

    /// Puts what is not measured yet into the queue.
    fn submit(&self, wanted: &[(PropertyId, Range<u64>)]) {
        let planned = if self.whole_specs { self.with_siblings(wanted) } else { wanted.to_vec() };
        let jobs = plan::plan(&self.suite, &planned);
        let mut state = self.board.state();
        for (id, seeds) in wanted {
            for key in seeds.clone().flat_map(|seed| self.keys(*id, seed)) {
                state.slots.entry(key).or_insert(Slot { answer: None, wanted: 0 }).wanted += 1;
            }
        }
        let mut tasks = Vec::new();
        let known: std::collections::HashSet<Key> = state.tasks.iter().flatten().cloned().collect();
        for job in jobs {
            let parts: Vec<Request> = job
                .parts
                .into_iter()
                .filter(|p| !known.contains(&((job.spec, job.variant), job.seed, p.key())))
                .collect();
            let keys: Vec<Key> = parts.iter().map(|p| ((job.spec, job.variant), job.seed, p.key())).collect();
            if !keys.iter().any(|key| state.slots.contains_key(key)) {
                continue;
            }
            let subject = Arc::clone(self.suite.specs[job.spec].subject(job.variant));
            tasks.push(Task { id: state.tasks.len(), subject, request: job.request, parts, seed: job.seed });
            state.tasks.push(keys);
        }
        drop(state);
        for task in tasks {
            self.pool.submit(task);
        }
    }

    /// With a cache, what the other properties of the same spec will ask for is measured in the same go.
    fn with_siblings(&self, wanted: &[(PropertyId, Range<u64>)]) -> Vec<(PropertyId, Range<u64>)> {
        let siblings = wanted.iter().flat_map(|(id, seeds)| {
            self.suite.ids().filter(move |other| other.spec == id.spec && other != id).filter_map(move |other| {
                let (_, property) = self.suite.get(other);
                let first = self.seeds(other, 0, self.first_look(other));
                let both = first.start.max(seeds.start)..first.end.min(seeds.end);
                (!property.settings.slow && property.settings.off.is_none() && !both.is_empty())
                    .then_some((other, both))
            })
        });
        wanted.iter().cloned().chain(siblings).collect()
    }

    fn keys(&self, id: PropertyId, seed: u64) -> Vec<Key> {
        let subject = (id.spec, self.suite.get(id).1.variant);
        self.requests(id).iter().map(|r| (subject, seed, r.key())).collect()
    }

    /// All measurements of a property, seed by seed; or the first failure in the order of the seeds, whichever came
    /// first in time.
    fn wait(&self, id: PropertyId, seeds: Range<u64>) -> Result<Vec<Vec<Measurement>>, (u64, Request, Failure)> {
        let requests = self.requests(id);
        let subject = (id.spec, self.suite.get(id).1.variant);
        seeds
            .map(|seed| {
                requests
                    .iter()
                    .map(|request| match self.wait_for(&(subject, seed, request.key())) {
                        Ok(measured) => Ok((*measured).clone()),
                        Err(failure) => Err((seed, request.clone(), failure)),
                    })
                    .collect()
            })
            .collect()
    }

    fn wait_for(&self, key: &Key) -> Result<Arc<Measurement>, Failure> {
        let mut state = self.board.state();
        loop {
            match state.slots.get(key) {
                Some(Slot { answer: Some(answer), .. }) => return answer.clone(),
                Some(_) => state = self.board.changed.wait(state).unwrap_or_else(PoisonError::into_inner),
                None => {
                    return Err(Failure {
                        cause: "a measurement was waited for that nobody asked for (this is a fault in nncheck)".into(),
                        help: Vec::new(),
                    });
                }
            }
        }
    }

    /// A judged property wants nothing any more: what nobody else wants is taken out of the queue.
    fn forget(&self, id: PropertyId, seeds: Range<u64>) {
        let mut state = self.board.state();
        for key in seeds.flat_map(|seed| self.keys(id, seed)) {
            if let Some(slot) = state.slots.get_mut(&key) {
                slot.wanted = slot.wanted.saturating_sub(1);
            }
        }
        let withdrawn = self.pool.withdraw(|task| {
            state.tasks[task.id].iter().all(|key| state.slots.get(key).is_none_or(|slot| slot.wanted == 0))
        });
        for task in withdrawn {
            // Whoever wants one of these later asks for it anew.
            for key in std::mem::take(&mut state.tasks[task]) {
                state.slots.remove(&key);
            }
            state.withdrawn += 1;
        }
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use nncheck_core::diagnostic::{Located, Span};
    use nncheck_core::spec::{Subject, data, loss, model, run};

    /// A subject that is never built.
    pub(crate) fn subject() -> Subject {
        Subject {
            model: model::Model { source: model::ModelSource::Layers(Vec::new()), weights: None, frozen: Vec::new() },
            data: data::Data {
                batch: 8,
                ..data::Data::of(data::DataSource::Synthetic(Located::new(
                    data::Synthetic { inputs: vec![4], classes: Some(2), examples: 16, ..data::Synthetic::default() },
                    Span::default(),
                )))
            },
            loss: loss::Loss::of(loss::LossKind::CrossEntropy),
            optimizer: None,
            train: nncheck_core::spec::train::Train::default(),
            dtype: run::Dtype::Float32,
            device: run::Device::Cpu,
            threads: 1,
            memory: 1 << 32,
            timeout_ms: 1000,
        }
    }
}
