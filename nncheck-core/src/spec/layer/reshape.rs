//! `reshape`.

use schemars::JsonSchema;
use serde::de::{Deserializer, Error};
use serde::{Deserialize, Serialize};

use super::size::LARGEST;
use super::{Misfit, Rule};

/// The same entries of an example in another shape.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Reshape {
    /// The shape of one example, without the batch; one axis may be -1, for what is left.
    #[serde(deserialize_with = "lengths")]
    #[schemars(extend("minItems" = 1, "items" = { "type": "integer", "minimum": -1 }))]
    pub shape: Vec<i64>,
}

fn lengths<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<i64>, D::Error> {
    let shape = Vec::<i64>::deserialize(deserializer)?;
    let right = |n: i64| n == -1 || usize::try_from(n).is_ok_and(|n| (1..=LARGEST).contains(&n));
    if let Some(wrong) = shape.iter().find(|&&n| !right(n)) {
        return Err(Error::custom(format_args!("expected lengths from 1 to {LARGEST}, or -1, found {wrong}")));
    }
    match shape.iter().filter(|&&n| n == -1).count() {
        _ if shape.is_empty() => Err(Error::custom("expected at least one length")),
        0 | 1 => Ok(shape),
        several => Err(Error::custom(format_args!("expected -1 at most once, found it {several} times"))),
    }
}

impl Rule for Reshape {
    fn output(&mut self, input: &[usize]) -> Result<Vec<usize>, Misfit> {
        let product = |lengths: &mut dyn Iterator<Item = usize>| lengths.fold(1_usize, usize::saturating_mul);
        let all = product(&mut input.iter().copied());
        let written = product(&mut self.shape.iter().filter_map(|&n| usize::try_from(n).ok()));
        let open = self.shape.contains(&-1);
        if !(if open { all % written == 0 } else { all == written }) {
            let wanted = if open { "a multiple of " } else { "" };
            return Err(Misfit::takes(format!("makes {:?} of {wanted}{written} entries", self.shape))
                .help(format!("an example has {all} entries here; one axis may be -1, for what is left")));
        }
        let output: Vec<usize> = self.shape.iter().map(|&n| usize::try_from(n).unwrap_or(all / written)).collect();
        self.shape = output.iter().map(|&n| i64::try_from(n).unwrap_or(i64::MAX)).collect();
        Ok(output)
    }
}
