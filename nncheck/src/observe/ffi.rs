//! The border to `observer.cpp`: every unsafe line of the observer is in this file, and those of its hooks are in `hooks`.

use std::any::Any;
use std::ffi::{CStr, c_char, c_void};
use std::marker::PhantomData;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::ptr::NonNull;
use std::slice;

use tch::Tensor;
use torch_sys::C_tensor;

use super::naming::Storage;
use super::statistics::Statistics;

/// What is told of the watched thread's operators. Operators come one after another, outermost ones only.
pub(super) trait Watcher {
    /// An operator starts, with its inputs in the order of its arguments.
    fn start(&mut self, operator: &str, inputs: &[Input]);

    /// It ended. There are no outputs if it failed.
    fn end(&mut self, outputs: &[Output]);
}

/// A tensor that an operator reads, for the time of the callback. Mirrors `nncheck_input`.
#[repr(C)]
pub(super) struct Input {
    tensor: *const C_tensor,
    storage: *const c_void,
    sizes: *const i64,
    dimensions: usize,
    trained: bool,
}

impl Input {
    pub(super) fn storage(&self) -> Storage {
        Storage(self.storage.addr())
    }

    /// Statistics of a floating input as it is now; `None` of all others.
    pub(super) fn statistics(&self) -> Option<Result<Statistics, String>> {
        let mut seen = Output {
            tensor: self.tensor,
            storage: self.storage,
            sizes: std::ptr::null(),
            dimensions: 0,
            entries: 0,
            data: std::ptr::null(),
            bytes: 0,
            floating: false,
        };
        // SAFETY: the tensor lives during the callback, and C++ writes a whole description or nothing.
        let described = unsafe { nncheck_describe(self.tensor, &raw mut seen) };
        (described && seen.floating).then(|| seen.statistics())
    }

    /// The shape of a leaf that requires a gradient; `None` for all other tensors.
    pub(super) fn trained_shape(&self) -> Option<&[i64]> {
        if !self.trained || self.dimensions == 0 {
            return self.trained.then_some(&[]);
        }
        // SAFETY: libtorch's sizes of a tensor that lives as long as this input is borrowed.
        Some(unsafe { slice::from_raw_parts(self.sizes, self.dimensions) })
    }
}

/// A tensor that an operator returned, for the time of the callback. Mirrors `nncheck_output`.
#[repr(C)]
pub(super) struct Output {
    tensor: *const C_tensor,
    storage: *const c_void,
    sizes: *const i64,
    dimensions: usize,
    entries: usize,
    data: *const c_void,
    bytes: u8,
    floating: bool,
}

impl Output {
    /// libtorch's tensor, alive during the callback.
    pub(super) fn as_ptr(&self) -> *const C_tensor {
        self.tensor
    }

    pub(super) fn storage(&self) -> Storage {
        Storage(self.storage.addr())
    }

    pub(super) fn is_floating(&self) -> bool {
        self.floating
    }

    pub(super) fn shape(&self) -> &[i64] {
        if self.dimensions == 0 {
            return &[];
        }
        // SAFETY: libtorch's sizes of a tensor that lives as long as this output is borrowed.
        unsafe { slice::from_raw_parts(self.sizes, self.dimensions) }
    }

    /// Statistics of a floating output, or why it cannot be read.
    pub(super) fn statistics(&self) -> Result<Statistics, String> {
        match self.bytes {
            _ if self.data.is_null() => self.converted(),
            // SAFETY: C++ gave a dense CPU tensor of `entries` floats, which nothing writes during the callback.
            4 => Ok(Statistics::of(unsafe { slice::from_raw_parts::<f32>(self.data.cast(), self.entries) })),
            // SAFETY: as above, of doubles.
            8 => Ok(Statistics::of(unsafe { slice::from_raw_parts::<f64>(self.data.cast(), self.entries) })),
            _ => self.converted(),
        }
    }

    /// For what does not lie in memory as plain floats or doubles: half precision, other devices, gaps, sparse.
    fn converted(&self) -> Result<Statistics, String> {
        let mut statistics = None;
        self.read(|values| statistics = Some(Statistics::of(values)))?;
        statistics.ok_or_else(|| "it was not read".to_owned())
    }

    /// Shows the entries, as doubles in the order of the axes.
    pub(super) fn read<F: FnMut(&[f64])>(&self, mut look: F) -> Result<(), String> {
        unsafe extern "C" fn take<F: FnMut(&[f64])>(state: *mut c_void, values: *const f64, count: usize) {
            let values: &[f64] = if count == 0 {
                &[]
            } else {
                // SAFETY: C++ passes `count` contiguous doubles that live until this returns.
                unsafe { slice::from_raw_parts(values, count) }
            };
            // SAFETY: `state` is the pair below, lent to this one call.
            let (look, panic) = unsafe { &mut *state.cast::<(&mut F, Option<Box<dyn Any + Send>>)>() };
            // A panic may not cross C++.
            *panic = catch_unwind(AssertUnwindSafe(|| look(values))).err();
        }
        let mut state = (&mut look, None::<Box<dyn Any + Send>>);
        let mut error = ErrorText::default();
        // SAFETY: the tensor lives during the callback, `take` and its state fit each other, and the text is as long
        // as it is said to be.
        let read = unsafe {
            nncheck_read(self.tensor, (&raw mut state).cast(), take::<F>, error.0.as_mut_ptr(), error.0.len())
        };
        if let Some(panic) = state.1 {
            resume_unwind(panic);
        }
        if read { Ok(()) } else { Err(error.into_string()) }
    }
}

/// The storage of a tensor at this moment.
pub(super) fn storage(tensor: &Tensor) -> Storage {
    // SAFETY: tch's pointer is an `at::Tensor*` that lives as long as the tensor is borrowed.
    Storage(unsafe { nncheck_storage(tensor.as_ptr()) }.addr())
}

/// Runs `body` with `watcher` told of the operators that this thread calls. Whether `body` returns or panics, nothing is
/// watched afterwards.
pub(super) fn watch<W: Watcher, R>(watcher: &mut W, body: impl FnOnce() -> R) -> Result<R, String> {
    let mut state = State { watcher, panic: None };
    let result = {
        let _installed = Installed::new(&mut state)?;
        body()
    };
    match state.panic {
        Some(panic) => resume_unwind(panic),
        None => Ok(result),
    }
}

struct State<'a, W> {
    watcher: &'a mut W,
    /// A watcher's panic may not cross C++; it is raised again when the body is done.
    panic: Option<Box<dyn Any + Send>>,
}

impl<W: Watcher> State<'_, W> {
    fn tell(&mut self, tell: impl FnOnce(&mut W)) {
        if self.panic.is_none() {
            self.panic = catch_unwind(AssertUnwindSafe(|| tell(self.watcher))).err();
        }
    }
}

/// Callbacks in place on this thread, until dropped.
struct Installed<'a> {
    watch: NonNull<c_void>,
    /// Keeps the state borrowed, and (as a pointer) the guard on its thread.
    state: PhantomData<*mut &'a ()>,
}

impl<'a> Installed<'a> {
    fn new<W: Watcher>(state: &'a mut State<'_, W>) -> Result<Self, String> {
        let callbacks = Callbacks { state: (&raw mut *state).cast(), start: start::<W>, end: end::<W> };
        let mut error = ErrorText::default();
        // SAFETY: the callbacks get the state that they were made for, which stays mutably borrowed, and so untouched
        // by others, until they are removed; the text is as long as it is said to be.
        let watch = unsafe { nncheck_install(callbacks, error.0.as_mut_ptr(), error.0.len()) };
        let watch = NonNull::new(watch).ok_or_else(|| error.into_string())?;
        Ok(Self { watch, state: PhantomData })
    }
}

impl Drop for Installed<'_> {
    fn drop(&mut self) {
        // SAFETY: installed once, removed once, on the same thread (the guard is not `Send`), innermost first (guards
        // live in `watch`, which returns in that order).
        unsafe { nncheck_remove(self.watch.as_ptr()) };
    }
}

unsafe extern "C" fn start<W: Watcher>(state: *mut c_void, name: *const c_char, inputs: *const Input, count: usize) {
    // SAFETY: `Installed` passed a `State<W>` that nobody else touches while it is installed.
    let state = unsafe { &mut *state.cast::<State<W>>() };
    // SAFETY: libtorch's name of the operator, ended by a zero, alive during the callback.
    let name = unsafe { CStr::from_ptr(name) };
    let inputs: &[Input] = if count == 0 {
        &[]
    } else {
        // SAFETY: C++ passes `count` inputs whose tensors live until this returns.
        unsafe { slice::from_raw_parts(inputs, count) }
    };
    state.tell(|watcher| watcher.start(&name.to_string_lossy(), inputs));
}

unsafe extern "C" fn end<W: Watcher>(state: *mut c_void, outputs: *const Output, count: usize) {
    // SAFETY: as in `start`.
    let state = unsafe { &mut *state.cast::<State<W>>() };
    let outputs: &[Output] = if count == 0 {
        &[]
    } else {
        // SAFETY: C++ passes `count` outputs whose tensors live until this returns.
        unsafe { slice::from_raw_parts(outputs, count) }
    };
    state.tell(|watcher| watcher.end(outputs));
}

/// What went wrong on the other side, in words.
struct ErrorText([c_char; 512]);

impl Default for ErrorText {
    fn default() -> Self {
        Self([0; 512])
    }
}

impl ErrorText {
    fn into_string(self) -> String {
        // The sign of a C character differs from platform to platform; its bits are what is wanted.
        let bytes: Vec<u8> = self.0.iter().map(|byte| byte.to_ne_bytes()[0]).take_while(|byte| *byte != 0).collect();
        String::from_utf8_lossy(&bytes).into_owned()
    }
}

/// Mirrors `nncheck_callbacks`.
#[repr(C)]
struct Callbacks {
    state: *mut c_void,
    start: unsafe extern "C" fn(*mut c_void, *const c_char, *const Input, usize),
    end: unsafe extern "C" fn(*mut c_void, *const Output, usize),
}

unsafe extern "C" {
    fn nncheck_install(callbacks: Callbacks, error: *mut c_char, capacity: usize) -> *mut c_void;
    fn nncheck_remove(watch: *mut c_void);
    fn nncheck_storage(tensor: *const C_tensor) -> *const c_void;
    fn nncheck_describe(tensor: *const C_tensor, output: *mut Output) -> bool;
    fn nncheck_read(
        tensor: *const C_tensor,
        state: *mut c_void,
        take: unsafe extern "C" fn(*mut c_void, *const f64, usize),
        error: *mut c_char,
        capacity: usize,
    ) -> bool;
}

#[cfg(test)]
mod tests {
    use std::panic::AssertUnwindSafe;

    use tch::{Device, Kind};

    use super::*;

    #[derive(Default)]
    struct Log(Vec<String>);

    impl Watcher for Log {
        fn start(&mut self, operator: &str, inputs: &[Input]) {
            self.0.push(format!("{operator} of {}", inputs.len()));
        }

        fn end(&mut self, outputs: &[Output]) {
            self.0.push(format!("returned {}", outputs.len()));
        }
    }

    fn ones(shape: &[i64]) -> Tensor {
        Tensor::ones(shape, (Kind::Double, Device::Cpu))
    }

    #[test]
    fn outermost_operators_are_told_of_inside_the_body_only() {
        let x = ones(&[2, 3]);
        let mut log = Log::default();
        let y = watch(&mut log, || x.linear(&x, None::<&Tensor>)).unwrap();
        drop(y.relu());
        assert_eq!(log.0, ["aten::linear of 2", "returned 1"]);
    }

    #[test]
    fn nothing_is_told_after_a_panic_or_a_cpp_exception_in_the_body() {
        let x = ones(&[2, 3]);
        let mut log = Log::default();
        for times in 1..3 {
            // Matrices that do not fit: libtorch throws in the middle of the operator, tch panics.
            let caught = catch_unwind(AssertUnwindSafe(|| watch(&mut log, || x.matmul(&x))));
            assert!(caught.is_err());
            drop(x.relu());
            assert_eq!(log.0.len(), 2 * times, "{:?}", log.0);
        }
        assert_eq!(log.0[..2], ["aten::matmul of 2", "returned 0"]);
        let mut fresh = Log::default();
        watch(&mut fresh, || drop(x.relu())).unwrap();
        assert_eq!(fresh.0, ["aten::relu of 1", "returned 1"], "the depth of the broken watch was left behind");
    }

    #[test]
    fn a_watch_inside_a_watch_takes_over_for_its_time() {
        let x = ones(&[2]);
        let (mut outer, mut inner) = (Log::default(), Log::default());
        watch(&mut outer, || {
            drop(x.relu());
            watch(&mut inner, || drop(x.tanh())).unwrap();
            drop(x.sigmoid());
        })
        .unwrap();
        assert_eq!(outer.0, ["aten::relu of 1", "returned 1", "aten::sigmoid of 1", "returned 1"]);
        assert_eq!(inner.0, ["aten::tanh of 1", "returned 1"]);
    }

    #[test]
    fn a_panic_of_the_watcher_crosses_libtorch_and_comes_out_of_watch() {
        struct Broken;
        impl Watcher for Broken {
            fn start(&mut self, _: &str, _: &[Input]) {
                panic!("the watcher is broken");
            }
            fn end(&mut self, _: &[Output]) {}
        }
        let x = ones(&[2]);
        let caught = catch_unwind(AssertUnwindSafe(|| watch(&mut Broken, || x.relu()).map(drop)));
        assert_eq!(*caught.unwrap_err().downcast::<&str>().unwrap(), "the watcher is broken");
    }

    #[test]
    fn other_threads_are_not_watched() {
        let mut log = Log::default();
        watch(&mut log, || std::thread::spawn(|| drop(ones(&[2]).relu())).join().unwrap()).unwrap();
        assert!(log.0.is_empty(), "{:?}", log.0);
    }
}
