//! libtorch's random generator, kept as it is while something is looked at.

use std::ffi::c_void;
use std::ptr::NonNull;

/// Runs `body`; afterwards, even after a panic, the generator of the CPU goes on as if nothing had been drawn.
pub(crate) fn undisturbed<R>(body: impl FnOnce() -> R) -> R {
    let _kept = Kept::new();
    body()
}

/// A kept state, put back when dropped.
struct Kept(Option<NonNull<c_void>>);

impl Kept {
    fn new() -> Self {
        // SAFETY: returns a state that is ours, or null.
        Self(NonNull::new(unsafe { nncheck_generator_state() }))
    }
}

impl Drop for Kept {
    fn drop(&mut self) {
        if let Some(state) = self.0 {
            // SAFETY: taken in `new`, given back once.
            unsafe { nncheck_generator_restore(state.as_ptr()) };
        }
    }
}

unsafe extern "C" {
    fn nncheck_generator_state() -> *mut c_void;
    fn nncheck_generator_restore(state: *mut c_void);
}

#[cfg(test)]
mod tests {
    use tch::{Device, Kind, Tensor};

    use super::*;

    fn draw() -> f64 {
        Tensor::randn([1], (Kind::Double, Device::Cpu)).double_value(&[0])
    }

    #[test]
    fn the_stream_goes_on_as_if_nothing_had_been_drawn() {
        tch::manual_seed(1);
        let expected = [draw(), draw(), draw()];
        tch::manual_seed(1);
        let first = draw();
        let between = undisturbed(draw);
        assert_eq!(between.to_bits(), expected[1].to_bits(), "inside, the stream is the same");
        let panicked = std::panic::catch_unwind(|| undisturbed(|| panic!("after {}", draw())));
        assert!(panicked.is_err());
        assert_eq!([first, draw(), draw()].map(f64::to_bits), expected.map(f64::to_bits));
    }
}
