//! The plan: which measurements the wanted properties need, each taken once.

use std::collections::BTreeMap;
use std::ops::Range;

use crate::measurement::Request;
use crate::suite::{PropertyId, Suite};

/// One measurement to take.
#[derive(Clone, Debug, PartialEq)]
pub struct Job {
    /// Index into [`Suite::specs`].
    pub spec: usize,
    /// Which of the spec's subjects.
    pub variant: usize,
    /// The seed of initialisation, batch order and dropout.
    pub seed: u64,
    /// What to measure; covers all parts.
    pub request: Request,
    /// What properties asked for, shortest first; each is answered as soon as it is complete.
    pub parts: Vec<Request>,
}

/// The measurements that `wanted` properties need for the given seeds: by spec, then by seed, then in the order in
/// which the spec's properties ask. Equal requests are one job, and traces of the same inputs are parts of the longest.
/// The order in which `wanted` names the properties does not matter.
#[must_use]
pub fn plan(suite: &Suite, wanted: &[(PropertyId, Range<u64>)]) -> Vec<Job> {
    let mut wanted: Vec<&(PropertyId, Range<u64>)> = wanted.iter().collect();
    wanted.sort_by_key(|(id, seeds)| (*id, seeds.start, seeds.end));
    let mut asked: BTreeMap<(usize, u64, usize), Vec<Request>> = BTreeMap::new();
    for (id, seeds) in wanted {
        let (spec, property) = suite.get(*id);
        let needs = property.requests(spec);
        for seed in seeds.clone() {
            asked.entry((id.spec, seed, property.variant)).or_default().extend(needs.iter().cloned());
        }
    }
    let jobs = asked.into_iter().flat_map(|((spec, seed, variant), requests)| {
        merge(requests).into_iter().map(move |(request, parts)| Job { spec, variant, seed, request, parts })
    });
    jobs.collect()
}

/// Each distinct request once; traces of the same inputs, and what is measured on the way of one, as parts of one that
/// answers them all.
fn merge(requests: Vec<Request>) -> Vec<(Request, Vec<Request>)> {
    let mut merged: Vec<(Request, Vec<Request>)> = Vec::new();
    for request in requests {
        match merged.iter_mut().find_map(|(whole, parts)| Some((whole.both(&request)?, whole, parts))) {
            None => merged.push((request.clone(), vec![request])),
            Some((wider, whole, parts)) => {
                *whole = wider;
                if !parts.contains(&request) {
                    parts.push(request);
                }
            }
        }
    }
    for (_, parts) in &mut merged {
        parts.sort_by_key(length);
    }
    merged
}

/// By what parts of one job are ordered: the shorter is complete first.
fn length(part: &Request) -> (usize, usize) {
    part.run().map_or((0, 0), |run| (run.steps, run.watched))
}

#[cfg(test)]
mod tests;
