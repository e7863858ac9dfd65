//! Which builder goes with which data: all that might, the best first.

use std::path::Path;

use nncheck_core::data::{self, Survey};

use super::files::{DataFile, relative};
use super::fit::Fit;
use super::guess::{self, Guess};
use super::{Builder, Draft, Model, NoBuilder, Parts, Source, made_up};
use crate::rust_source::Network;

/// What a data file holds: one survey, or those of images and labels.
type Surveys = Vec<Survey>;

/// Looks into a data file.
///
/// # Errors
/// Why it cannot be used, in a few words.
pub fn survey(file: &DataFile) -> Result<Surveys, String> {
    match file {
        DataFile::One(_, path) => Ok(vec![data::survey(path)?]),
        DataFile::Idx(images, labels) => Ok(vec![data::survey(images)?, data::survey(labels)?]),
    }
}

fn guess_of(surveys: &[Survey], network: &Network) -> Result<Guess, String> {
    match surveys {
        [Survey::Arrays(images), Survey::Arrays(labels)] => match (&images[..], &labels[..]) {
            ([images], [labels]) => guess::of_pair(images, labels, network),
            _ => Err("it is no pair of images and labels".to_owned()),
        },
        [one] => guess::guess(one, network),
        _ => Err("it holds nothing".to_owned()),
    }
}

/// The drafts for a package, the best first, and why files were passed over.
#[must_use]
pub fn candidates(
    builders: &[Builder],
    parts: &Parts,
    torchscript: Option<&Path>,
    files: &[DataFile],
    folder: &Path,
    no_builder: NoBuilder,
) -> (Vec<Draft>, Vec<String>) {
    let (mut ranked, mut passed) = (Vec::new(), Vec::new());
    let unknown = Network::default();
    let networks: Vec<&Network> =
        if builders.is_empty() { vec![&unknown] } else { builders.iter().map(|b| &b.network).collect() };
    let model = |index: usize| {
        if builders.is_empty() {
            return match torchscript {
                Some(path) => Model::TorchScript(relative(folder, path)),
                None => Model::Layers(no_builder),
            };
        }
        // The chosen one first, the others in their order.
        let (before, after) = (&builders[..index], &builders[index + 1..]);
        Model::Builder([std::slice::from_ref(&builders[index]), before, after].concat())
    };
    let draft = |index: usize, source: Source, guess: Guess, sure: bool| Draft {
        name: builders.get(index).map_or_else(|| "model".to_owned(), Builder::spec_name),
        model: model(index),
        source,
        guess,
        network: networks[index].clone(),
        folder: folder.to_owned(),
        parts: parts.clone(),
        sure,
    };
    for file in files {
        let surveys = survey(file);
        let mut why = None;
        for (index, network) in networks.iter().enumerate() {
            match surveys.as_ref().map_err(Clone::clone).and_then(|surveys| guess_of(surveys, network)) {
                Ok(guess) if guess.fit == Fit::No => {
                    why = Some(format!("its rows of shape {:?} are not what the first layer takes", guess.shape));
                }
                Ok(guess) => ranked.push((guess.fit, index, draft(index, Source::File(file.clone()), guess, true))),
                Err(reason) => why = Some(reason),
            }
        }
        let used = ranked.iter().any(|(_, _, draft)| matches!(&draft.source, Source::File(f) if f == file));
        if let Some(why) = why.filter(|_| !used) {
            passed.push(format!("{}: {why}", relative(folder, file.path())));
        }
    }
    ranked.sort_by_key(|(fit, index, _)| (*fit, *index));
    let mut drafts: Vec<Draft> = ranked.into_iter().map(|(_, _, draft)| draft).collect();
    let (made_up, known) = made_up(networks[0]);
    if let Some(function) = parts.data.first() {
        drafts.push(draft(0, Source::Function(function.clone()), made_up.clone(), known));
    }
    let why =
        if files.is_empty() { "no data was found near by" } else { "none of the data near by goes with this model" };
    let known = known || builders.is_empty() && torchscript.is_none();
    drafts.push(draft(0, Source::Synthetic(why.to_owned()), made_up, known));
    (drafts, passed)
}
