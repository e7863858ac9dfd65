//! `conv2d`.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Misfit, Pair, Rule, pair, size, yes};

/// Cross-correlation over the last two axes of `[C, H, W]`; initialised as PyTorch does.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Conv2d {
    /// Channels that come in; may be left out.
    #[serde(rename = "in", alias = "in_channels", default, deserialize_with = "size::optional")]
    #[schemars(extend("x-aliases" = ["in_channels"]))]
    pub inputs: Option<usize>,
    /// Channels that go out.
    #[serde(rename = "out", alias = "out_channels", deserialize_with = "size::one")]
    #[schemars(extend("x-aliases" = ["out_channels"]))]
    pub outputs: usize,
    /// Height and width of the kernel.
    #[serde(alias = "kernel_size", deserialize_with = "pair::positive")]
    #[schemars(extend("x-aliases" = ["kernel_size"]))]
    pub kernel: Pair,
    /// Steps between windows.
    #[serde(default = "one", deserialize_with = "pair::positive")]
    pub stride: Pair,
    /// Zeros around the input.
    #[serde(default = "zero")]
    pub padding: Pair,
    /// Distance between the entries of the kernel.
    #[serde(default = "one", deserialize_with = "pair::positive")]
    pub dilation: Pair,
    /// Groups of channels that see nothing of each other.
    #[serde(default = "single", deserialize_with = "size::one")]
    pub groups: usize,
    /// Whether there is a bias.
    #[serde(default = "yes")]
    pub bias: bool,
}

/// What to do about an input that is no image.
pub(super) const IMAGES: &str = "images have three axes: set `shape` in [data], and flatten no earlier than here";

pub(super) fn one() -> Pair {
    Pair::both(1)
}

pub(super) fn zero() -> Pair {
    Pair::both(0)
}

fn single() -> usize {
    1
}

/// How a window moves along an axis.
pub(super) struct Window {
    pub(super) kernel: usize,
    pub(super) stride: usize,
    pub(super) padding: usize,
    pub(super) dilation: usize,
}

impl Window {
    /// The windows of both axes.
    pub(super) fn both(kernel: Pair, stride: Pair, padding: Pair, dilation: Pair) -> [Self; 2] {
        [0, 1].map(|axis| Self {
            kernel: kernel.0[axis],
            stride: stride.0[axis].max(1),
            padding: padding.0[axis],
            dilation: dilation.0[axis],
        })
    }

    /// How far the first window reaches.
    pub(super) fn reach(&self) -> usize {
        self.dilation.saturating_mul(self.kernel.saturating_sub(1)).saturating_add(1)
    }

    /// PyTorch's formula; `None` where not even one window fits.
    pub(super) fn output(&self, length: usize, ceil: bool) -> Option<usize> {
        let padded = length.saturating_add(2 * self.padding);
        let room = padded.checked_sub(self.reach())?;
        if !ceil {
            return Some(room / self.stride + 1);
        }
        let output = room.div_ceil(self.stride) + 1;
        // The last window has to start inside the input or its left padding.
        let starts_inside = (output - 1).saturating_mul(self.stride) < length.saturating_add(self.padding);
        Some(if starts_inside { output } else { output - 1 })
    }
}

impl Rule for Conv2d {
    fn output(&mut self, input: &[usize]) -> Result<Vec<usize>, Misfit> {
        let &[channels, height, width] = input else {
            return Err(Misfit::takes("takes [channels, height, width]").help(IMAGES));
        };
        let inputs = *self.inputs.get_or_insert(channels);
        if inputs != channels {
            return Err(Misfit::takes(format!("takes {inputs} channels"))
                .help(format!("set `in = {channels}`, or leave `in` out")));
        }
        for (what, channels) in [("in", inputs), ("out", self.outputs)] {
            if channels % self.groups != 0 {
                return Err(Misfit::Arguments(format!(
                    "its `{what}` = {channels} channels cannot be divided into {} groups",
                    self.groups
                )));
            }
        }
        let windows = Window::both(self.kernel, self.stride, self.padding, self.dilation);
        let [h, w] = &windows;
        match (h.output(height, false), w.output(width, false)) {
            (Some(height), Some(width)) => Ok(vec![self.outputs, height, width]),
            _ => Err(too_small(&windows)),
        }
    }
}

pub(super) fn too_small([h, w]: &[Window; 2]) -> Misfit {
    Misfit::takes(format!(
        "takes at least {} x {} entries with its padding",
        h.reach().saturating_sub(2 * h.padding).max(1),
        w.reach().saturating_sub(2 * w.padding).max(1)
    ))
    .help("use a smaller kernel, more padding, or fewer layers that shrink their input")
}
