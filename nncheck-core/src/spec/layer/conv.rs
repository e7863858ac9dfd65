//! `conv1d` and `conv2d`.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::window::{Window, image, too_small};
use super::{Misfit, Padding, PaddingMode, Rule, Sizes, size, sizes, yes};

/// Cross-correlation over the last `D` axes of `[channels, ...]`; initialised as PyTorch does.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Conv<const D: usize> {
    /// Channels that come in; may be left out.
    #[serde(rename = "in", alias = "in_channels", default, deserialize_with = "size::optional")]
    #[schemars(extend("x-aliases" = ["in_channels"]))]
    pub inputs: Option<usize>,
    /// Channels that go out.
    #[serde(rename = "out", alias = "out_channels", deserialize_with = "size::one")]
    #[schemars(extend("x-aliases" = ["out_channels"]))]
    pub outputs: usize,
    /// Extent of the kernel.
    #[serde(alias = "kernel_size", deserialize_with = "sizes::positive")]
    #[schemars(extend("x-aliases" = ["kernel_size"]))]
    pub kernel: Sizes<D>,
    /// Steps between windows.
    #[serde(default = "one::<D>", deserialize_with = "sizes::positive")]
    pub stride: Sizes<D>,
    /// How many entries are put around the input; `"same"` keeps its lengths.
    #[serde(default = "Padding::<D>::none")]
    pub padding: Padding<D>,
    /// Distance between the entries of the kernel.
    #[serde(default = "one::<D>", deserialize_with = "sizes::positive")]
    pub dilation: Sizes<D>,
    /// Groups of channels that see nothing of each other.
    #[serde(default = "single", deserialize_with = "size::one")]
    pub groups: usize,
    /// Whether there is a bias.
    #[serde(default = "yes")]
    pub bias: bool,
    /// What is put around the input.
    #[serde(default)]
    pub padding_mode: PaddingMode,
}

pub(super) fn one<const D: usize>() -> Sizes<D> {
    Sizes::all(1)
}

pub(super) fn zero<const D: usize>() -> Sizes<D> {
    Sizes::all(0)
}

pub(super) fn single() -> usize {
    1
}

impl<const D: usize> Conv<D> {
    /// How many entries are put before and behind each axis.
    #[must_use]
    pub fn pads(&self) -> [[usize; 2]; D] {
        std::array::from_fn(|axis| match self.padding {
            Padding::By(sizes) => [sizes.0[axis]; 2],
            Padding::Same => {
                let all = self.dilation.0[axis].saturating_mul(self.kernel.0[axis].saturating_sub(1));
                [all / 2, all - all / 2]
            }
        })
    }

    /// Whether the input has what is put around it.
    fn paddable(&self, lengths: &[usize]) -> Result<(), Misfit> {
        let (most, mode) = match self.padding_mode {
            PaddingMode::Zeros | PaddingMode::Replicate => return Ok(()),
            PaddingMode::Reflect => (1, "mirrors"),
            PaddingMode::Circular => (0, "repeats"),
        };
        let wanted = self.pads().iter().flatten().copied().max().unwrap_or(0);
        if lengths.iter().zip(self.pads()).all(|(&length, pads)| pads.iter().all(|&pad| pad + most <= length)) {
            Ok(())
        } else {
            Err(Misfit::takes(format!("{mode} up to {wanted} entries of its input as padding"))
                .help("use less padding, or `padding_mode = \"zeros\"`"))
        }
    }
}

impl<const D: usize> Rule for Conv<D> {
    fn output(&mut self, input: &[usize]) -> Result<Vec<usize>, Misfit> {
        let (channels, lengths) = image::<D>(input)?;
        let inputs = channels_in(&mut self.inputs, channels)?;
        divided(&[("in", inputs), ("out", self.outputs)], self.groups)?;
        if self.padding == Padding::Same && self.stride != one() {
            return Err(Misfit::Arguments("`padding = \"same\"` goes with a stride of 1 only".to_owned()));
        }
        self.paddable(&lengths)?;
        let windows = Window::all(self.kernel, self.stride, self.pads(), self.dilation);
        let mut output = vec![self.outputs];
        for (window, &length) in windows.iter().zip(&lengths) {
            output.push(window.output(length, false).ok_or_else(|| too_small(&windows))?);
        }
        Ok(output)
    }
}

/// The channels that come in, which the spec may leave out.
pub(super) fn channels_in(written: &mut Option<usize>, found: usize) -> Result<usize, Misfit> {
    let inputs = *written.get_or_insert(found);
    if inputs == found {
        return Ok(inputs);
    }
    Err(Misfit::takes(format!("takes {inputs} channels")).help(format!("set `in = {found}`, or leave `in` out")))
}

/// Whether channels can be divided into groups.
pub(super) fn divided(all: &[(&str, usize)], groups: usize) -> Result<(), Misfit> {
    match all.iter().find(|(_, channels)| channels % groups != 0) {
        None => Ok(()),
        Some((what, channels)) => {
            Err(Misfit::Arguments(format!("its `{what}` = {channels} channels cannot be divided into {groups} groups")))
        }
    }
}
