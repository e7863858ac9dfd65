//! Clearing gradients as PyTorch does: taken away, not set to zero. tch clears so through its optimizers only, which
//! take nothing but a whole store; libtorch's own optimizer takes any tensor.

use std::fmt;
use std::ptr::NonNull;

use tch::Tensor;
use torch_sys::C_optimizer;

use crate::subject::SubjectError;

/// The gradients of some parameters.
pub(super) struct Gradients(NonNull<C_optimizer>);

impl fmt::Debug for Gradients {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Gradients")
    }
}

impl Gradients {
    pub(super) fn of<'p>(parameters: impl Iterator<Item = &'p Tensor>) -> Result<Self, SubjectError> {
        // SAFETY: plain numbers; null comes back where libtorch throws.
        let holder = NonNull::new(unsafe { torch_sys::ato_sgd(0.0, 0.0, 0.0, 0.0, 0) })
            .ok_or_else(|| SubjectError::new("libtorch makes no optimizer"))?;
        for parameter in parameters {
            // SAFETY: both pointers are alive; libtorch keeps a reference of its own to the tensor. It takes leaves only,
            // which parameters are.
            unsafe { torch_sys::ato_add_parameters(holder.as_ptr(), parameter.as_ptr().cast_mut(), 0) };
        }
        Ok(Self(holder))
    }

    /// Takes all gradients away.
    pub(super) fn clear(&mut self) {
        // SAFETY: made in `of`, freed in `drop` alone.
        unsafe { torch_sys::ato_zero_grad(self.0.as_ptr()) };
    }
}

impl Drop for Gradients {
    fn drop(&mut self) {
        // SAFETY: made in `of`, and not used after this.
        unsafe { torch_sys::ato_free(self.0.as_ptr()) };
    }
}
