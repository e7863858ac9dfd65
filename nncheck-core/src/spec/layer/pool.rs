//! `max_pool2d` and `adaptive_avg_pool2d`.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::conv2d::{IMAGES, Window, one, too_small, zero};
use super::{Misfit, Pair, Rule, pair};

/// The largest entry of each window of the last two axes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct MaxPool2d {
    /// Height and width of the window.
    #[serde(alias = "kernel_size", deserialize_with = "pair::positive")]
    #[schemars(extend("x-aliases" = ["kernel_size"]))]
    pub kernel: Pair,
    /// Steps between windows; as large as the window, if left out.
    #[serde(default, deserialize_with = "pair::positive_optional")]
    pub stride: Option<Pair>,
    /// Minus infinities around the input.
    #[serde(default = "zero")]
    pub padding: Pair,
    /// Distance between the entries of the window.
    #[serde(default = "one", deserialize_with = "pair::positive")]
    pub dilation: Pair,
    /// Whether a window that reaches over the edge counts.
    #[serde(default)]
    pub ceil_mode: bool,
}

impl Rule for MaxPool2d {
    fn output(&mut self, input: &[usize]) -> Result<Vec<usize>, Misfit> {
        let &[channels, height, width] = input else {
            return Err(Misfit::takes("takes [channels, height, width]").help(IMAGES));
        };
        let stride = *self.stride.get_or_insert(self.kernel);
        let windows = Window::both(self.kernel, stride, self.padding, self.dilation);
        let [h, w] = &windows;
        if [h, w].iter().any(|w| w.padding > w.kernel / 2) {
            return Err(Misfit::Arguments("its `padding` is more than half of its `kernel`".to_owned()));
        }
        match (h.output(height, self.ceil_mode), w.output(width, self.ceil_mode)) {
            (Some(height), Some(width)) => Ok(vec![channels, height, width]),
            _ => Err(too_small(&windows)),
        }
    }
}

/// The mean of windows that divide the last two axes into `size` parts.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct AdaptiveAvgPool2d {
    /// Height and width that come out.
    #[serde(alias = "output_size", deserialize_with = "pair::positive")]
    #[schemars(extend("x-aliases" = ["output_size"]))]
    pub size: Pair,
}

impl Rule for AdaptiveAvgPool2d {
    fn output(&mut self, input: &[usize]) -> Result<Vec<usize>, Misfit> {
        let &[channels, _, _] = input else {
            return Err(Misfit::takes("takes [channels, height, width]").help(IMAGES));
        };
        let [height, width] = self.size.0;
        Ok(vec![channels, height, width])
    }
}
