//! Windows that move over the last axes of an input.

use super::{Misfit, Sizes};

/// What to do about an input that is no image.
pub(super) const IMAGES: &str = "images have three axes: set `shape` in [data], and flatten no earlier than here";
const SEQUENCES: &str = "sequences of channels have two axes: set `shape` in [data], and flatten no earlier than here";

/// The channels and the `D` lengths of an input.
pub(super) fn image<const D: usize>(input: &[usize]) -> Result<(usize, [usize; D]), Misfit> {
    let (wanted, help) = match D {
        1 => ("takes [channels, length]", SEQUENCES),
        _ => ("takes [channels, height, width]", IMAGES),
    };
    let misfit = || Misfit::takes(wanted).help(help);
    let (&channels, lengths) = input.split_first().ok_or_else(misfit)?;
    Ok((channels, lengths.try_into().map_err(|_| misfit())?))
}

/// How a window moves along an axis.
pub(super) struct Window {
    pub(super) kernel: usize,
    pub(super) stride: usize,
    /// Before and behind.
    pub(super) padding: [usize; 2],
    pub(super) dilation: usize,
}

impl Window {
    /// The windows of all axes.
    pub(super) fn all<const D: usize>(
        kernel: Sizes<D>,
        stride: Sizes<D>,
        padding: [[usize; 2]; D],
        dilation: Sizes<D>,
    ) -> [Self; D] {
        std::array::from_fn(|axis| Self {
            kernel: kernel.0[axis],
            stride: stride.0[axis].max(1),
            padding: padding[axis],
            dilation: dilation.0[axis],
        })
    }

    /// How far the first window reaches.
    fn reach(&self) -> usize {
        self.dilation.saturating_mul(self.kernel.saturating_sub(1)).saturating_add(1)
    }

    /// PyTorch's formula; `None` where not even one window fits.
    pub(super) fn output(&self, length: usize, ceil: bool) -> Option<usize> {
        let [before, behind] = self.padding;
        let padded = length.saturating_add(before).saturating_add(behind);
        let room = padded.checked_sub(self.reach())?;
        if !ceil {
            return Some(room / self.stride + 1);
        }
        let output = room.div_ceil(self.stride) + 1;
        // The last window has to start inside the input or its left padding.
        let starts_inside = (output - 1).saturating_mul(self.stride) < length.saturating_add(before);
        Some(if starts_inside { output } else { output - 1 })
    }
}

pub(super) fn too_small(windows: &[Window]) -> Misfit {
    let least: Vec<String> = windows
        .iter()
        .map(|w| w.reach().saturating_sub(w.padding.iter().fold(0, |all, &p| p.saturating_add(all))).max(1).to_string())
        .collect();
    Misfit::takes(format!("takes at least {} entries with its padding", least.join(" x ")))
        .help("use a smaller kernel, more padding, or fewer layers that shrink their input")
}
