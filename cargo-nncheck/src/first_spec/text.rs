//! The text of a first spec: what was found, what was guessed, and a word on everything.

use nncheck_core::suite::builtin;

use super::aim::Aim;
use super::files::{DataFile, relative};
use super::fit::Fit;
use super::guess::Line;
use super::guess::quoted;
use super::{Draft, Model, NoBuilder, Source};
use crate::rust_source::{Activation, Input};

/// Where comments begin.
const COLUMN: usize = 34;
/// The longest line before its comment goes above it.
const LONGEST: usize = 120;

/// A line and its comment.
fn with(text: &str, comment: &str) -> String {
    if comment.is_empty() {
        return format!("{text}\n");
    }
    let line = format!("{text:<COLUMN$}  # {comment}\n");
    if line.chars().count() > LONGEST { format!("# {comment}\n{text}\n") } else { line }
}

/// The text of a draft.
#[must_use]
pub fn text(draft: &Draft) -> String {
    let builtin = draft.guess.aim.builtin();
    let mut out = String::from("#:schema ./nncheck.schema.json\n");
    out += "# What must hold of this model and its training. `cargo nncheck` runs it; `cargo nncheck explain CHECK` says what a\n\
            # check is about, what it fails for and what to do then.\n";
    out += "version = 1\n\n# Its properties: ";
    out += &wrapped(&properties(builtin));
    out += &format!("extends = [\"nncheck:{builtin}\"]\n\n");
    out += &model(draft);
    out += &data(draft);
    out += &loss(draft);
    out += &optimizer(draft);
    out += "# A property of its own, or another band for one of those above, is a table:\n\
            # [property.initial_loss]\n# within = \"20%\"\n\
            # All checks, in the order in which to look for what is wrong: add \"nncheck:checklist\" to `extends`.\n";
    out
}

fn properties(builtin: &str) -> Vec<&'static str> {
    let text = builtin::find(builtin).unwrap_or_default();
    text.lines().filter_map(|line| line.strip_prefix("[property.")?.strip_suffix(']')).collect()
}

/// Names as a comment, which goes on with `# `.
fn wrapped(names: &[&str]) -> String {
    let mut out = String::new();
    let mut width = 18;
    for (index, name) in names.iter().enumerate() {
        let end = if index + 1 < names.len() { ", " } else { ".\n" };
        if width + name.len() > LONGEST - 4 {
            out += "\n# ";
            width = 2;
        }
        out += name;
        out += end;
        width += name.len() + end.len();
    }
    out
}

fn model(draft: &Draft) -> String {
    let mut out = String::from("[model]\n");
    match &draft.model {
        Model::Builder(builders) => {
            for (index, builder) in builders.iter().enumerate() {
                let mark = if index == 0 { "" } else { "# " };
                out += &with(&format!("{mark}builder = \"{}\"", builder.path), &builder.place);
            }
            if builders.first().is_some_and(|b| b.hyper) {
                let keys = draft.network.hyper.iter().map(|(key, value)| format!("{key} = {value}"));
                let keys: Vec<String> = keys.collect();
                out += &with(&format!("# hyper = {{ {} }}", keys.join(", ")), "what the builder gets as its `&Hyper`");
            }
        }
        Model::TorchScript(path) => {
            out += &with(
                &format!("torchscript = {}", quoted(path)),
                "exported from Python; it starts from the weights in the file",
            );
        }
        Model::Layers(no_builder) => {
            if let Some(subject) = draft.parts.subjects.first() {
                out += &format!(
                    "# The library has a whole training program; it wants data of its own below, and no loss and no optimizer:\n\
                     #     subject = \"{subject}\"\n# Until then, layers that go with the data:\n"
                );
            } else if *no_builder == NoBuilder::NoLibrary {
                out += "# The package has no library, and what a spec names must be in one: with the model in src/lib.rs, such as\n\
                        #     pub fn mlp(path: &nn::Path) -> impl nn::Module { ... }\n\
                        # it would be: builder = \"my_crate::mlp\". Until then, layers that go with the data:\n";
            } else if *no_builder == NoBuilder::NoneInLibrary {
                out += "# The library has no public function that takes `&nn::Path` and returns a model; with one, such as\n\
                        #     pub fn mlp(path: &nn::Path) -> impl nn::Module { ... }\n\
                        # it would be: builder = \"my_crate::mlp\". Until then, layers that go with the data:\n";
            } else {
                out += "# Layers that go with the data; or `torchscript = \"../model.pt\"`, exported from Python.\n";
            }
            out += &format!("layers = [\n{}]\n", layers(draft));
        }
    }
    out.push('\n');
    out
}

/// A small network for the data of a draft.
fn layers(draft: &Draft) -> String {
    let guess = &draft.guess;
    let head = format!("    {{ linear = {{ out = {} }}, name = \"head\" }},\n", guess.aim.outputs());
    let mut out = String::new();
    if let Some(tokens) = guess.tokens {
        out += &format!("    {{ embedding = {{ size = {tokens}, dim = 32 }}, name = \"embedding\" }},\n");
        out += "    { gru = { hidden = 64 }, name = \"gru\" },\n";
        if !matches!(guess.aim, Aim::NextToken(_)) {
            out += "    \"last_step\",\n";
        }
        return out + &head;
    }
    if guess.shape.len() > 1 {
        out += "    \"flatten\",\n";
    }
    out + "    { linear = { out = 32 }, name = \"hidden\" },\n    \"relu\",\n" + &head
}

fn data(draft: &Draft) -> String {
    let mut out = String::from("[data]\n");
    let way = |path: &std::path::Path| relative(&draft.folder, path);
    match &draft.source {
        Source::File(file) => {
            out += &match file {
                DataFile::One(format, path) => format!("{format} = {}\n", quoted(&way(path))),
                DataFile::Idx(images, labels) => {
                    format!("idx = {{ images = {}, labels = {} }}\n", quoted(&way(images)), quoted(&way(labels)))
                }
            };
            if draft.guess.fit == Fit::OtherOutputs {
                let outputs = draft.network.output.unwrap_or_default();
                out += &format!(
                    "# As the sources read, the model has {outputs} outputs, and this data wants {}.\n",
                    draft.guess.aim.outputs()
                );
            }
            for Line(text, why) in &draft.guess.lines {
                out += &with(text, why);
            }
            if let Some(function) = draft.parts.data.first() {
                out +=
                    &with(&format!("# function = \"{function}\""), "or data of your own, instead of all of the above");
            }
        }
        Source::Function(path) => {
            out += &with(&format!("function = \"{path}\""), "reads the data as your training program does");
            out += "batch = 64\n";
        }
        Source::Synthetic(why) => {
            out += &format!("# Made-up rows, for {why}.");
            out += match &draft.model {
                Model::Builder(_) if draft.sure => {
                    " Their shape is that of the model's first layer, as the sources read.\n"
                }
                Model::Layers(_) => " Any shape will do.\n",
                Model::Builder(_) if draft.network.input != Input::Unknown => {
                    " How many channels there are, the sources say.\n# TODO: the other sizes are a guess: write those that the model takes.\n"
                }
                _ => {
                    "\n# TODO: their shape is a guess, and nothing in the sources tells it: write the one that the model takes.\n"
                }
            };
            out += &format!("synthetic = {{ {} }}\n", synthetic(draft));
            out += "# csv = \"../data.csv\"               # or your own: csv, npz, safetensors, idx, or a `function` of yours\n\
                    # target = \"label\"\n";
            out += "batch = 64\n";
        }
    }
    out.push('\n');
    out
}

fn synthetic(draft: &Draft) -> String {
    let guess = &draft.guess;
    let what = match guess.aim {
        Aim::Classes(k) => format!(", classes = {k}"),
        Aim::Binary => ", classes = 2".to_owned(),
        Aim::Numbers(n) => format!(", targets = {n}"),
        Aim::NextToken(_) => String::new(),
    };
    let sizes = guess.shape.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ");
    match guess.tokens {
        Some(tokens) => format!("tokens = {tokens}, length = {sizes}{what}, examples = 512"),
        None => format!("inputs = [{sizes}]{what}, examples = 512"),
    }
}

fn loss(draft: &Draft) -> String {
    let (kind, why) = match (draft.guess.aim, draft.network.last) {
        (Aim::Classes(_), Some(Activation::LogSoftmax)) => ("nll", "guessed: the sources end in log_softmax"),
        (Aim::Classes(_), _) => ("cross_entropy", "logits [N, classes] against class ids"),
        (Aim::NextToken(_), _) => ("cross_entropy", "logits [N, T, tokens] against the next token"),
        (Aim::Binary, Some(Activation::Sigmoid)) => ("bce", "guessed: the sources end in a sigmoid"),
        (Aim::Binary, _) => ("bce_with_logits", "one logit an example against 0 or 1"),
        (Aim::Numbers(_), _) => ("mse", "or \"l1\", \"huber\""),
    };
    let mut out = format!("[loss]\n{}", with(&format!("kind = \"{kind}\""), why));
    for path in &draft.parts.losses {
        out += &with(&format!("# function = \"{path}\""), "your own, which must agree with the kind");
    }
    out.push('\n');
    out
}

fn optimizer(draft: &Draft) -> String {
    let kind = if matches!(draft.guess.aim, Aim::NextToken(_)) { "adamw" } else { "adam" };
    let mut out = format!(
        "[optimizer]\n{}",
        with(&format!("kind = \"{kind}\""), "the one that you train with: sgd, adam, adamw, rmsprop")
    );
    out += &with("lr = 1e-3", "and its rate");
    for path in &draft.parts.optimizers {
        out += &with(&format!("# function = \"{path}\""), "or your own, instead of the two above");
    }
    if let Some(path) = draft.parts.steps.first() {
        out += &format!("\n# [train]\n# step = \"{path}\"\n");
    }
    out.push('\n');
    out
}

#[cfg(test)]
#[path = "text_tests.rs"]
mod tests;
