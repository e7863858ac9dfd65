//! The globs of a spec that name parameters, held against the names that can be known before anything is built.

use std::collections::BTreeSet;

use super::BoundSpec;
use crate::diagnostic::{Diagnostic, Located, suggest};
use crate::spec::Subject;
use crate::spec::layer;
use crate::spec::model::ModelSource;
use crate::spec::optimizer::Optimizer;

/// PyTorch's counter of batch norm's steps, which is in a state dict and is no parameter.
const COUNTER: &str = "num_batches_tracked";

/// What is wrong with the globs of a spec; `stored`: the names in its file of weights, where they could be read.
pub(super) fn wrong_globs(spec: &BoundSpec, stored: Option<&[String]>) -> Vec<Diagnostic> {
    let subject = &spec.subject;
    let Some(names) = names(subject, stored) else { return Vec::new() };
    let frozen = subject.model.frozen.iter().map(|glob| ("frozen", glob.clone()));
    let groups = subject.optimizer.iter().flat_map(Optimizer::groups).filter_map(|group| group.params.as_ref());
    let params =
        groups.flat_map(|params| params.value.iter().map(|glob| ("params", Located::new(glob.clone(), params.span))));
    frozen.chain(params).filter_map(|(key, glob)| wrong(spec, key, &glob, &names)).collect()
}

/// The names of all parameters: those of declared layers; those of a builder's model are those of the weights that it is
/// given, to the last one. (Of a file there may be buffers among them.)
fn names(subject: &Subject, stored: Option<&[String]>) -> Option<Vec<String>> {
    match &subject.model.source {
        ModelSource::Layers(layers) => Some(layer::parameter_names(layers)),
        ModelSource::Builder { .. } => {
            let ignored: Vec<_> =
                subject.model.weights.iter().flat_map(|w| &w.ignore).filter_map(|g| matcher(g)).collect();
            let kept = |name: &&String| {
                name.rsplit('.').next() != Some(COUNTER) && !ignored.iter().any(|glob| glob.is_match(name.as_str()))
            };
            Some(stored?.iter().filter(kept).cloned().collect())
        }
        ModelSource::TorchScript(_) | ModelSource::Subject { .. } => None,
    }
}

fn matcher(glob: &str) -> Option<globset::GlobMatcher> {
    globset::Glob::new(glob).ok().map(|glob| glob.compile_matcher())
}

fn wrong(spec: &BoundSpec, key: &str, glob: &Located<String>, names: &[String]) -> Option<Diagnostic> {
    let matcher = matcher(&glob.value)?;
    if names.iter().any(|name| matcher.is_match(name)) {
        return None;
    }
    let error =
        Diagnostic::error("no-such-parameter", format!("`{}` in `{key}` names no parameter of the model", glob.value));
    let error = error.at(&spec.file, glob.span);
    let parts: BTreeSet<String> = names.iter().flat_map(|name| parts(name)).collect();
    // A layer that is named alone is meant with all that is in it.
    let whole = format!("{}.*", glob.value);
    let near = parts.get(&whole).map(String::as_str);
    let error = match near.or_else(|| suggest::nearest(&glob.value, parts.iter().map(String::as_str))) {
        Some(near) => error.label(format!("did you mean `{near}`?")),
        None => error.label("expected the name of a parameter, or a glob such as `hidden.*`"),
    };
    let known: Vec<&str> = names.iter().map(String::as_str).collect();
    Some(if known.is_empty() {
        error.help("the model has no parameters")
    } else {
        error.help(format!("its parameters are {}", suggest::list(&known)))
    })
}

/// A name, and the globs for all that lies in a layer that it is of.
fn parts(name: &str) -> Vec<String> {
    let layers = name.match_indices('.').map(|(dot, _)| format!("{}.*", &name[..dot]));
    layers.chain([name.to_owned()]).collect()
}
