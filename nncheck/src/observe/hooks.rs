//! Gradients of a forward pass's outputs: the border to `hooks.cpp`, and every unsafe line about it.

use std::ffi::c_void;
use std::marker::PhantomData;
use std::ptr::NonNull;

use tch::Tensor;
use torch_sys::C_tensor;

use super::{Output, ffi};

/// What is kept of an operator's output.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Keep {
    /// Nothing.
    Nothing,
    /// Its gradient.
    Gradient,
    /// Its gradient and its entries.
    Both,
}

/// An output of which something is kept.
#[derive(Debug)]
pub(crate) struct Kept {
    pub(crate) output: Output,
    /// Its entries when the operator ended, in the order of the axes; none where they were not asked for.
    pub(crate) entries: Vec<f64>,
    /// Its gradient: of the value that it had when the operator ended, whatever has overwritten it since. `None` where
    /// autograd does not know of the output, or where what was differentiated does not depend on it.
    pub(crate) gradient: Option<Tensor>,
}

/// A forward pass that waits for its backward pass.
#[derive(Debug)]
pub(crate) struct Recorded {
    recording: Recording,
    /// Each with the number of its gradient.
    kept: Vec<(Kept, Option<usize>)>,
}

impl Recorded {
    pub(super) fn new() -> Result<Self, String> {
        Ok(Self { recording: Recording::new()?, kept: Vec::new() })
    }

    /// Called in the operator's end callback, before anything else can happen to the output.
    pub(super) fn add(&mut self, output: &Output, raw: &ffi::Output, keep: Keep) -> Result<(), String> {
        if keep == Keep::Nothing {
            return Ok(());
        }
        let number = self.recording.hook(raw);
        let mut entries = Vec::new();
        // Entries alone are of no use: they are not kept where there will be no gradient.
        if keep == Keep::Both && number.is_some() {
            raw.read(|values| entries = values.to_vec())?;
        }
        self.kept.push((Kept { output: output.clone(), entries, gradient: None }, number));
        Ok(())
    }

    /// Runs `backward`, and returns its result with what was kept, in the order of the forward pass. Gradients of backward
    /// passes before and after it are not taken.
    pub(crate) fn during<R>(self, backward: impl FnOnce() -> R) -> (R, Vec<Kept>) {
        let Self { recording, kept } = self;
        recording.open(true);
        // Should it panic, the recording is dropped, and its hooks do nothing any more.
        let result = backward();
        recording.open(false);
        let kept = kept
            .into_iter()
            .map(|(kept, number)| Kept { gradient: number.and_then(|number| recording.take(number)), ..kept })
            .collect();
        (result, kept)
    }
}

/// Gradients that hooks write to, on whatever thread; see `hooks.cpp`.
#[derive(Debug)]
struct Recording {
    recording: NonNull<c_void>,
    /// Tensors are given out on the thread that it was made on.
    not_send: PhantomData<*mut ()>,
}

impl Recording {
    fn new() -> Result<Self, String> {
        // SAFETY: returns a recording that is ours, or null.
        let recording = NonNull::new(unsafe { nncheck_recording_new() }).ok_or("there is no memory for gradients")?;
        Ok(Self { recording, not_send: PhantomData })
    }

    /// Puts a hook on an output as it is now; the number of its gradient, or `None` where autograd knows of none.
    fn hook(&mut self, output: &ffi::Output) -> Option<usize> {
        // SAFETY: the recording lives as long as `self`, the tensor during the callback; the hook itself outlives both, and
        // holds the recording weakly.
        let number = unsafe { nncheck_recording_hook(self.recording.as_ptr(), output.as_ptr()) };
        usize::try_from(number).ok()
    }

    fn open(&self, open: bool) {
        // SAFETY: the recording lives as long as `self`; a lock guards it against the hooks.
        unsafe { nncheck_recording_open(self.recording.as_ptr(), open) };
    }

    fn take(&self, number: usize) -> Option<Tensor> {
        // SAFETY: as above.
        let tensor = unsafe { nncheck_recording_take(self.recording.as_ptr(), number) };
        // SAFETY: a tensor on the heap that was given away, and that tch frees.
        (!tensor.is_null()).then(|| unsafe { Tensor::from_ptr(tensor) })
    }
}

impl Drop for Recording {
    fn drop(&mut self) {
        // SAFETY: made once, freed once; a hook that runs at this moment on another thread holds what it writes to.
        unsafe { nncheck_recording_free(self.recording.as_ptr()) };
    }
}

unsafe extern "C" {
    fn nncheck_recording_new() -> *mut c_void;
    fn nncheck_recording_free(recording: *mut c_void);
    fn nncheck_recording_hook(recording: *mut c_void, tensor: *const C_tensor) -> i64;
    fn nncheck_recording_open(recording: *mut c_void, open: bool);
    fn nncheck_recording_take(recording: *mut c_void, index: usize) -> *mut C_tensor;
}

#[cfg(test)]
mod tests {
    use tch::{Device, Kind};

    use super::*;
    use crate::observe::Observer;

    fn numbers(values: &[f64]) -> Tensor {
        Tensor::from_slice(values)
    }

    /// The sum of `(relu(w x) + c)^2`, in place; `w` is 2, `w x` is 2, -2, 6.
    fn forward(w: &Tensor) -> Tensor {
        ((w * numbers(&[1.0, -1.0, 3.0])).relu_() + numbers(&[1.0, 10.0, 100.0])).square().sum(Kind::Double)
    }

    /// Of it with respect to `w x`.
    const GRADIENT: [f64; 3] = [6.0, 0.0, 212.0];

    fn weight() -> Tensor {
        Tensor::full([1], 2.0, (Kind::Double, Device::Cpu)).set_requires_grad(true)
    }

    fn record<R>(w: &Tensor, forward: impl FnOnce() -> R, keep: Keep) -> (R, Recorded) {
        Observer::new(&[("layer.w".to_owned(), w.shallow_clone())]).record(forward, |_| keep).unwrap()
    }

    fn entries(gradient: Option<&Tensor>) -> Vec<f64> {
        gradient.map(|gradient| Vec::<f64>::try_from(gradient).unwrap()).unwrap_or_default()
    }

    #[test]
    fn values_and_gradients_are_those_of_the_moment_when_the_operator_ended() {
        let w = weight();
        let (loss, recorded) = record(&w, || forward(&w), Keep::Both);
        let ((), kept) = recorded.during(|| loss.backward());
        let of = |at: usize| (kept[at].output.layer.as_str(), kept[at].entries.clone());
        assert_eq!(of(0), ("layer", vec![2.0, -2.0, 6.0]), "before it was rectified in place");
        assert_eq!(of(1), ("layer.relu", vec![2.0, 0.0, 6.0]));
        assert_eq!(entries(kept[0].gradient.as_ref()), GRADIENT);
        assert_eq!(entries(kept[1].gradient.as_ref()), [6.0, 20.0, 212.0], "behind the rectifier");
        assert_eq!((kept.len(), kept[4].gradient.as_ref().unwrap().double_value(&[])), (5, 1.0));
    }

    #[test]
    fn gradients_of_all_uses_are_added_up() {
        let w = weight();
        let twice = || {
            let h = &w * numbers(&[1.0, 2.0]);
            (&h * 3.0 + &h * 4.0 + h).sum(Kind::Double)
        };
        let (loss, recorded) = record(&w, twice, Keep::Gradient);
        let ((), kept) = recorded.during(|| loss.backward());
        assert_eq!(entries(kept[0].gradient.as_ref()), [8.0; 2]);
        assert!(kept[0].entries.is_empty(), "entries were not asked for");
    }

    #[test]
    fn only_the_backward_pass_that_is_meant_is_taken() {
        let w = weight();
        let differentiate = |loss: &Tensor, scale: f64| {
            drop(Tensor::f_run_backward(&[loss * scale], &[&w], true, false).unwrap());
        };
        let inside = || {
            let loss = forward(&w);
            // As a penalty on gradients does it, inside the forward pass, also of what the loss does not depend on.
            let aside = (&w * numbers(&[5.0])).exp();
            differentiate(&loss, 100.0);
            differentiate(&aside, 1.0);
            (loss, aside)
        };
        let ((loss, aside), recorded) = record(&w, inside, Keep::Gradient);
        differentiate(&loss, 10.0);
        differentiate(&aside, 1.0);
        let ((), kept) = recorded.during(|| differentiate(&loss, 1.0));
        assert_eq!(entries(kept[0].gradient.as_ref()), GRADIENT);
        let of_aside = kept.iter().find(|kept| kept.output.operator == "exp").unwrap();
        assert!(of_aside.gradient.is_none(), "{of_aside:?}");
        // The graph outlives the recording, and so do its hooks.
        differentiate(&loss, 1000.0);
        assert_eq!(entries(kept[0].gradient.as_ref()), GRADIENT);
    }

    #[test]
    fn hooks_may_run_on_another_thread() {
        let w = weight();
        let (loss, recorded) = record(&w, || forward(&w), Keep::Gradient);
        let (joined, kept) = recorded.during(|| std::thread::spawn(move || loss.backward()).join());
        joined.unwrap();
        assert_eq!(entries(kept[0].gradient.as_ref()), GRADIENT);
    }

    #[test]
    fn what_autograd_does_not_know_of_has_no_gradient() {
        let w = weight();
        let partly = || {
            let detached = (&w * numbers(&[1.0])).detach().tanh();
            let hidden = tch::no_grad(|| (&w * numbers(&[1.0])).sigmoid());
            let unused = (&w * numbers(&[5.0])).exp();
            (detached + hidden, (&w * numbers(&[7.0])).sum(Kind::Double), unused)
        };
        let ((_aside, loss, _unused), recorded) = record(&w, partly, Keep::Gradient);
        let ((), kept) = recorded.during(|| loss.backward());
        let seen: Vec<_> =
            kept.iter().filter(|kept| kept.gradient.is_some()).map(|k| k.output.layer.as_str()).collect();
        assert_eq!(seen, ["layer#4", "layer.sum"], "{kept:?}");
    }

    #[test]
    fn a_gradient_is_no_part_of_another_graph_and_changes_none() {
        let w = weight();
        let (loss, recorded) = record(&w, || forward(&w), Keep::Gradient);
        let (of_w, kept) = recorded.during(|| Tensor::run_backward(&[loss], &[&w], true, true));
        assert!(kept.iter().all(|kept| kept.gradient.as_ref().is_some_and(|g| !g.requires_grad())));
        let plain = Tensor::run_backward(&[forward(&w)], &[&w], false, false);
        assert_eq!(entries(of_w.first()), entries(plain.first()));
    }
}
