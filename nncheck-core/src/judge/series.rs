//! The seeds' entries side by side: one series an entry, aligned by name.

use super::{Band, Entry, Interval, Judged, Rule, Sample, Scale, Verdict};

/// One entry over the seeds.
#[derive(Clone, Debug)]
pub(super) struct Series<'a> {
    /// The entry's name.
    pub name: Option<&'a str>,
    /// Its scale, as the first seed that has it says.
    pub scale: Scale,
    /// One a seed; `None` where the seed lacks the entry.
    pub cells: Vec<Option<&'a Entry>>,
}

impl Series<'_> {
    /// Each seed's number.
    pub fn values(&self) -> Vec<Option<f64>> {
        self.cells.iter().map(|cell| cell.and_then(|entry| entry.value)).collect()
    }

    /// The numbers to be judged, each with its band.
    pub fn judged(&self) -> impl Iterator<Item = (f64, Band)> + '_ {
        self.cells.iter().flatten().filter_map(|entry| Some((entry.value?, entry.band?)))
    }

    /// Mean over the seeds that have a number: geometric on a log scale. One number, or equal ones, are themselves, bit
    /// for bit.
    pub fn mean(&self) -> Option<f64> {
        mean(&self.values().into_iter().flatten().collect::<Vec<_>>(), self.scale)
    }
}

/// The mean, geometric on a log scale (and zero there if any number is), arithmetic where a number is negative.
pub(crate) fn mean(values: &[f64], scale: Scale) -> Option<f64> {
    let first = *values.first()?;
    if values.iter().all(|&v| v == first) {
        return Some(first);
    }
    // Sorted, so that the order of the seeds does not change the last bit.
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    #[expect(clippy::cast_precision_loss, reason = "seeds are few")]
    let n = sorted.len() as f64;
    Some(match scale {
        Scale::Log if sorted.iter().all(|&v| v >= 0.0) => (sorted.iter().map(|v| v.ln()).sum::<f64>() / n).exp(),
        Scale::Log | Scale::Linear => sorted.iter().sum::<f64>() / n,
    })
}

/// Lines the entries of the seeds up by name, in the order in which they are first met; or says at once that there is
/// nothing to judge.
pub(super) fn align(rule: Rule, samples: &[Sample]) -> Result<Vec<Series<'_>>, Box<Judged>> {
    let mut series: Vec<Series<'_>> = Vec::new();
    let mut nothing = None;
    for (seed, sample) in samples.iter().enumerate() {
        match sample {
            Sample::Unanswerable(why) => return Err(Box::new(without_numbers(rule, Verdict::Error, why))),
            Sample::Nothing(why) => nothing = nothing.or(Some(why)),
            Sample::Seen(entries) => {
                for entry in entries {
                    let name = entry.name.as_deref();
                    let at = series.iter().position(|s| s.name == name).unwrap_or_else(|| {
                        series.push(Series { name, scale: entry.scale, cells: vec![None; samples.len()] });
                        series.len() - 1
                    });
                    series[at].cells[seed] = Some(entry);
                }
            }
        }
    }
    if series.iter().all(|s| s.judged().next().is_none()) {
        let why = nothing.map_or("none of its numbers exists here", String::as_str);
        let mut judged = without_numbers(rule, Verdict::Skipped, why);
        judged.by = by(&series, Series::mean);
        return Err(Box::new(judged));
    }
    Ok(series)
}

/// The named entries with their values over the seeds.
pub(super) fn by<'a>(series: &[Series<'a>], value: impl Fn(&Series<'a>) -> Option<f64>) -> Vec<(String, Option<f64>)> {
    series.iter().filter_map(|s| Some((s.name?.to_owned(), value(s)))).collect()
}

fn without_numbers(rule: Rule, verdict: Verdict, why: &str) -> Judged {
    Judged {
        verdict,
        rule,
        value: None,
        at: None,
        by: Vec::new(),
        outside: Vec::new(),
        band: Band::default(),
        interval: None,
        values: Vec::new(),
        reason: Some(why.to_owned()),
        seeds_needed: None,
    }
}

/// How one entry stands; ordered from good to bad.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Standing {
    Inside,
    Undecided,
    Outside,
}

/// What is found out about one entry over the seeds.
#[derive(Clone, Debug)]
pub(super) struct Part {
    pub name: Option<String>,
    pub standing: Standing,
    pub value: f64,
    pub band: Band,
    /// How far outside the band, to find the worst entry.
    pub excess: f64,
    pub interval: Option<Interval>,
    pub values: Vec<Option<f64>>,
    pub reason: Option<String>,
    pub seeds_needed: Option<u32>,
}

impl Part {
    /// A value and the band that it is inside or outside of.
    pub(super) fn of(series: &Series<'_>, value: f64, band: Band) -> Self {
        Self {
            name: series.name.map(str::to_owned),
            standing: if band.contains(value) { Standing::Inside } else { Standing::Outside },
            value,
            band,
            excess: band.excess(value, series.scale),
            interval: None,
            values: series.values(),
            reason: None,
            seeds_needed: None,
        }
    }

    /// The same as a failure, where a number of any seed is not finite.
    pub(super) fn not_finite(&self, numbers: &[f64]) -> Option<Self> {
        let wild = numbers.iter().filter(|v| !v.is_finite()).count();
        let reason = format!("not finite in {wild} of {} seeds", numbers.len());
        (wild > 0).then(|| Self {
            standing: Standing::Outside,
            excess: f64::INFINITY,
            reason: Some(reason),
            ..self.clone()
        })
    }
}

/// Makes a verdict of its parts; the worst of them speaks for all. `parts` has at least one.
pub(super) fn assemble(rule: Rule, verdict: Verdict, parts: Vec<Part>, by: Vec<(String, Option<f64>)>) -> Judged {
    let seeds_needed = match verdict {
        Verdict::Inconclusive => {
            // Unknown for one entry is unknown for all.
            let needed: Option<Vec<u32>> =
                parts.iter().filter(|p| p.standing == Standing::Undecided).map(|p| p.seeds_needed).collect();
            needed.and_then(|n| n.into_iter().max())
        }
        _ => None,
    };
    let bad = match verdict {
        Verdict::Fail => Some(Standing::Outside),
        Verdict::Inconclusive => Some(Standing::Undecided),
        Verdict::Pass | Verdict::Skipped | Verdict::Error => None,
    };
    let outside = parts.iter().filter(|p| bad == Some(p.standing)).filter_map(|p| p.name.clone()).collect();
    // The first of equally bad ones.
    let worst = parts.into_iter().reduce(|a, b| if (b.standing, b.excess) > (a.standing, a.excess) { b } else { a });
    let Some(worst) = worst else {
        return without_numbers(rule, Verdict::Skipped, "none of its numbers exists here");
    };
    Judged {
        verdict,
        rule,
        value: Some(worst.value),
        at: worst.name,
        by,
        outside,
        band: worst.band,
        interval: worst.interval,
        values: worst.values,
        reason: worst.reason,
        seeds_needed,
    }
}
