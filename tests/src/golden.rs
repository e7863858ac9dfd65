//! Specs whose numbers are held against golden values: the first 64 digits in the order of the file, in one batch, in
//! double precision, with one seed.

use crate::project;

/// Such a spec. `model` and `optimizer` are what stands in those tables.
#[must_use]
pub fn spec_of_64_digits(model: &str, shape: &str, optimizer: &str, properties: &str) -> String {
    let digits = project("digits").join("data/digits.csv");
    format!(
        r#"version = 1

[model]
{model}

[data]
csv = {digits:?}
target = "label"
shape = {shape}
scale = 0.0625
take = 64
split = 1.0
shuffle = false
batch = 64

[loss]
kind = "cross_entropy"

[optimizer]
{optimizer}

[run]
dtype = "float64"
seeds = 1
max_seeds = 1

{properties}"#
    )
}

/// The initial loss, and `step_0`, `step_1`, ...: the update ratios of single steps.
#[must_use]
pub fn loss_and_steps(steps: usize) -> String {
    let step = |step| format!("[property.step_{step}]\ncheck = \"update_ratio\"\nafter = {step}\nsteps = 1\n");
    std::iter::once("[property.initial_loss]\n".to_owned()).chain((0..steps).map(step)).collect()
}
