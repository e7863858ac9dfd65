//! `conv_transpose2d`.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::conv::{channels_in, divided, one, single, zero};
use super::window::image;
use super::{Misfit, Pair, Rule, size, sizes, yes};

/// The transpose of a convolution of images, which makes them larger; initialised as PyTorch does.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ConvTranspose2d {
    /// Channels that come in; may be left out.
    #[serde(rename = "in", alias = "in_channels", default, deserialize_with = "size::optional")]
    #[schemars(extend("x-aliases" = ["in_channels"]))]
    pub inputs: Option<usize>,
    /// Channels that go out.
    #[serde(rename = "out", alias = "out_channels", deserialize_with = "size::one")]
    #[schemars(extend("x-aliases" = ["out_channels"]))]
    pub outputs: usize,
    /// Height and width of the kernel.
    #[serde(alias = "kernel_size", deserialize_with = "sizes::positive")]
    #[schemars(extend("x-aliases" = ["kernel_size"]))]
    pub kernel: Pair,
    /// Steps between windows of the output.
    #[serde(default = "one::<2>", deserialize_with = "sizes::positive")]
    pub stride: Pair,
    /// Entries that are cut off on each side of the output.
    #[serde(default = "zero::<2>")]
    pub padding: Pair,
    /// Entries that are added on one side of the output.
    #[serde(default = "zero::<2>")]
    pub output_padding: Pair,
    /// Groups of channels that see nothing of each other.
    #[serde(default = "single", deserialize_with = "size::one")]
    pub groups: usize,
    /// Whether there is a bias.
    #[serde(default = "yes")]
    pub bias: bool,
    /// Distance between the entries of the kernel.
    #[serde(default = "one::<2>", deserialize_with = "sizes::positive")]
    pub dilation: Pair,
}

impl Rule for ConvTranspose2d {
    fn output(&mut self, input: &[usize]) -> Result<Vec<usize>, Misfit> {
        let (channels, lengths) = image::<2>(input)?;
        let inputs = channels_in(&mut self.inputs, channels)?;
        divided(&[("in", inputs), ("out", self.outputs)], self.groups)?;
        let mut output = vec![self.outputs];
        for (axis, &length) in lengths.iter().enumerate() {
            let (stride, dilation) = (self.stride.0[axis], self.dilation.0[axis]);
            let more = self.output_padding.0[axis];
            if more >= stride.max(dilation) {
                return Err(Misfit::Arguments(
                    "its `output_padding` has to be below its stride or dilation".to_owned(),
                ));
            }
            let whole = length
                .saturating_sub(1)
                .saturating_mul(stride)
                .saturating_add(dilation.saturating_mul(self.kernel.0[axis].saturating_sub(1)))
                .saturating_add(more + 1);
            match whole.checked_sub(2 * self.padding.0[axis]) {
                None | Some(0) => {
                    return Err(Misfit::takes("cuts off more by its `padding` than it puts out")
                        .help("use less padding or a larger kernel"));
                }
                Some(length) => output.push(length),
            }
        }
        Ok(output)
    }
}
