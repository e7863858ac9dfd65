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
