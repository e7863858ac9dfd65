//! `max_pool2d`, `avg_pool2d` and `adaptive_avg_pool2d`.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::conv::{one, zero};
use super::window::{Window, image, too_small};
use super::{Misfit, Pair, Rule, size, sizes, yes};

/// The largest entry of each window of the last two axes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct MaxPool2d {
    /// Height and width of the window.
    #[serde(alias = "kernel_size", deserialize_with = "sizes::positive")]
    #[schemars(extend("x-aliases" = ["kernel_size"]))]
    pub kernel: Pair,
    /// Steps between windows; as large as the window, if left out.
    #[serde(default, deserialize_with = "sizes::positive_optional")]
    pub stride: Option<Pair>,
    /// Minus infinities around the input.
    #[serde(default = "zero::<2>")]
    pub padding: Pair,
    /// Distance between the entries of the window.
    #[serde(default = "one::<2>", deserialize_with = "sizes::positive")]
    pub dilation: Pair,
    /// Whether a window that reaches over the edge counts.
    #[serde(default)]
    pub ceil_mode: bool,
}

impl Rule for MaxPool2d {
    fn output(&mut self, input: &[usize]) -> Result<Vec<usize>, Misfit> {
        let stride = *self.stride.get_or_insert(self.kernel);
        pooled(input, self.kernel, stride, self.padding, self.dilation, self.ceil_mode)
    }
}

/// The mean of each window of the last two axes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct AvgPool2d {
    /// Height and width of the window.
    #[serde(alias = "kernel_size", deserialize_with = "sizes::positive")]
    #[schemars(extend("x-aliases" = ["kernel_size"]))]
    pub kernel: Pair,
    /// Steps between windows; as large as the window, if left out.
    #[serde(default, deserialize_with = "sizes::positive_optional")]
    pub stride: Option<Pair>,
    /// Zeros around the input.
    #[serde(default = "zero::<2>")]
    pub padding: Pair,
    /// Whether a window that reaches over the edge counts.
    #[serde(default)]
    pub ceil_mode: bool,
    /// Whether the zeros around the input count.
    #[serde(default = "yes")]
    pub count_include_pad: bool,
    /// What sums are divided by; the size of the window, if left out.
    #[serde(default, deserialize_with = "size::optional")]
    pub divisor_override: Option<usize>,
}

impl Rule for AvgPool2d {
    fn output(&mut self, input: &[usize]) -> Result<Vec<usize>, Misfit> {
        let stride = *self.stride.get_or_insert(self.kernel);
        pooled(input, self.kernel, stride, self.padding, one(), self.ceil_mode)
    }
}

fn pooled(
    input: &[usize],
    kernel: Pair,
    stride: Pair,
    padding: Pair,
    dilation: Pair,
    ceil: bool,
) -> Result<Vec<usize>, Misfit> {
    let (channels, [height, width]) = image::<2>(input)?;
    let windows = Window::all(kernel, stride, padding.0.map(|p| [p; 2]), dilation);
    let [h, w] = &windows;
    if [h, w].iter().any(|w| w.padding[0] > w.kernel / 2) {
        return Err(Misfit::Arguments("its `padding` is more than half of its `kernel`".to_owned()));
    }
    match (h.output(height, ceil), w.output(width, ceil)) {
        (Some(height), Some(width)) => Ok(vec![channels, height, width]),
        _ => Err(too_small(&windows)),
    }
}

/// The mean of windows that divide the last two axes into `size` parts.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct AdaptiveAvgPool2d {
    /// Height and width that come out.
    #[serde(alias = "output_size", deserialize_with = "sizes::positive")]
    #[schemars(extend("x-aliases" = ["output_size"]))]
    pub size: Pair,
}

impl Rule for AdaptiveAvgPool2d {
    fn output(&mut self, input: &[usize]) -> Result<Vec<usize>, Misfit> {
        let (channels, _) = image::<2>(input)?;
        let [height, width] = self.size.0;
        Ok(vec![channels, height, width])
    }
}
