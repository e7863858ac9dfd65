//! The border to `module.cpp`: every unsafe line about TorchScript is in this file.

use std::ffi::{CStr, CString, c_char, c_void};
use std::path::Path;
use std::ptr::NonNull;

use tch::Tensor;
use torch_sys::C_tensor;

use crate::user::Batch;

/// What a tensor of a model is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Role {
    /// Trained, unless it requires no gradient.
    Parameter,
    /// Saved with the model, and not trained: running statistics.
    Buffer,
    /// Kept by the model as neither.
    Attribute,
}

/// A tensor of a model, sharing its memory, under its name in Python.
#[derive(Debug)]
pub(super) struct Slot {
    pub(super) name: String,
    pub(super) tensor: Tensor,
    pub(super) role: Role,
}

/// A TorchScript model.
#[derive(Debug)]
pub(super) struct Module(NonNull<c_void>);

/// What comes back from a call: tensors, or why there are none.
#[derive(Default)]
struct Answer {
    slots: Vec<Slot>,
    error: Option<String>,
}

impl Answer {
    fn state(&mut self) -> *mut c_void {
        (&raw mut *self).cast()
    }

    fn into_result(self, well: bool) -> Result<Vec<Slot>, String> {
        match self.error {
            None if well => Ok(self.slots),
            error => Err(error.unwrap_or_else(|| "libtorch does not say why".to_owned())),
        }
    }
}

impl Module {
    /// Loads a file onto a device, such as `cuda:1`.
    pub(super) fn load(file: &Path, device: &str) -> Result<Self, String> {
        let text = file.to_str().ok_or("libtorch takes no path that is not UTF-8")?;
        let file = CString::new(text).map_err(|e| e.to_string())?;
        let device = CString::new(device).map_err(|e| e.to_string())?;
        let mut answer = Answer::default();
        // SAFETY: both texts end in a zero and live during the call, as does the state, which `fail` is made for.
        let module = unsafe { nncheck_jit_load(file.as_ptr(), device.as_ptr(), answer.state(), fail) };
        match NonNull::new(module) {
            Some(module) => Ok(Self(module)),
            None => Err(answer.error.unwrap_or_else(|| "libtorch does not say why".to_owned())),
        }
    }

    /// All its tensors.
    pub(super) fn tensors(&self) -> Result<Vec<Slot>, String> {
        let mut answer = Answer::default();
        // SAFETY: the module lives as long as `self`; the state is what both callbacks are made for.
        let well = unsafe { nncheck_jit_tensors(self.0.as_ptr(), answer.state(), take, fail) };
        answer.into_result(well)
    }

    /// How many operators are fixed in evaluation, and how many in training.
    pub(super) fn fixed_modes(&self) -> Result<(usize, usize), String> {
        let (mut eval, mut train) = (0, 0);
        let mut answer = Answer::default();
        // SAFETY: as in `tensors`; both counts are lent to this one call.
        let well =
            unsafe { nncheck_jit_fixed_modes(self.0.as_ptr(), &raw mut eval, &raw mut train, answer.state(), fail) };
        answer.into_result(well).map(|_| (eval, train))
    }

    /// Runs the model.
    pub(super) fn forward(&self, batch: &Batch, train: bool) -> Result<Vec<(String, Tensor)>, String> {
        let names: Vec<CString> =
            batch.inputs().names().map(CString::new).collect::<Result<_, _>>().map_err(|e| e.to_string())?;
        let name_pointers: Vec<*const c_char> = names.iter().map(|name| name.as_ptr()).collect();
        let inputs: Vec<*const C_tensor> = batch.inputs().iter().map(|(_, tensor)| tensor.as_ptr()).collect();
        let mut answer = Answer::default();
        // SAFETY: as in `tensors`; inputs and names are as many as is said, and live during the call.
        let well = unsafe {
            nncheck_jit_forward(
                self.0.as_ptr(),
                train,
                inputs.as_ptr(),
                name_pointers.as_ptr(),
                inputs.len(),
                answer.state(),
                take,
                fail,
            )
        };
        Ok(answer.into_result(well)?.into_iter().map(|slot| (slot.name, slot.tensor)).collect())
    }
}

impl Drop for Module {
    fn drop(&mut self) {
        // SAFETY: made by `nncheck_jit_load`, freed once.
        unsafe { nncheck_jit_free(self.0.as_ptr()) };
    }
}

unsafe extern "C" fn take(state: *mut c_void, name: *const c_char, tensor: *mut C_tensor, role: u8) {
    // SAFETY: `state` is the answer that waits for this call.
    let answer = unsafe { &mut *state.cast::<Answer>() };
    // SAFETY: a C++ string's text, ended by a zero, alive during the callback.
    let name = unsafe { CStr::from_ptr(name) }.to_string_lossy().into_owned();
    // SAFETY: a tensor on the heap that is given away here, and that tch frees.
    let tensor = unsafe { Tensor::from_ptr(tensor) };
    let role = match role {
        0 => Role::Parameter,
        1 => Role::Buffer,
        _ => Role::Attribute,
    };
    answer.slots.push(Slot { name, tensor, role });
}

unsafe extern "C" fn fail(state: *mut c_void, words: *const c_char) {
    // SAFETY: as in `take`.
    let answer = unsafe { &mut *state.cast::<Answer>() };
    // SAFETY: as in `take`.
    answer.error = Some(unsafe { CStr::from_ptr(words) }.to_string_lossy().into_owned());
}

type Take = unsafe extern "C" fn(*mut c_void, *const c_char, *mut C_tensor, u8);
type Fail = unsafe extern "C" fn(*mut c_void, *const c_char);

unsafe extern "C" {
    fn nncheck_jit_load(file: *const c_char, device: *const c_char, state: *mut c_void, fail: Fail) -> *mut c_void;
    fn nncheck_jit_free(module: *mut c_void);
    fn nncheck_jit_tensors(module: *mut c_void, state: *mut c_void, take: Take, fail: Fail) -> bool;
    fn nncheck_jit_fixed_modes(
        module: *mut c_void,
        eval: *mut usize,
        train: *mut usize,
        state: *mut c_void,
        fail: Fail,
    ) -> bool;
    fn nncheck_jit_forward(
        module: *mut c_void,
        train: bool,
        inputs: *const *const C_tensor,
        names: *const *const c_char,
        count: usize,
        state: *mut c_void,
        take: Take,
        fail: Fail,
    ) -> bool;
}
