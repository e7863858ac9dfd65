// Hands every outermost operator of the watched thread to Rust: its name and its inputs' storages when it starts, its
// outputs when it ends. What they mean is decided in Rust; nothing here knows of layers or statistics.
//
// Build with -DNDEBUG (see build.rs): RecordFunction's layout depends on it.

#include <ATen/core/LegacyTypeDispatch.h>
#include <ATen/core/Tensor.h>
#include <ATen/record_function.h>
#include <c10/core/GradMode.h>
#include <c10/core/StorageImpl.h>

#include <cstdint>
#include <cstdio>
#include <exception>
#include <memory>

#include "memory.hpp"

extern "C" {

// A tensor as Rust sees it, valid during one callback. Mirrored by `ffi::Output`.
struct nncheck_output {
  const at::Tensor* tensor;
  const void* storage;   // identity only: never read through
  const int64_t* sizes;
  size_t dimensions;
  size_t entries;
  const void* data;      // `entries` floats or doubles in memory, in whatever order; null: read it with nncheck_read
  uint8_t bytes;         // of an entry of `data`: 4 or 8
  bool floating;
};

// A tensor that an operator reads, valid during one callback. Mirrored by `ffi::Input`.
struct nncheck_input {
  const at::Tensor* tensor;
  const void* storage;  // identity only: never read through
  const int64_t* sizes;
  size_t dimensions;
  bool trained;         // a leaf that requires a gradient: something that an optimizer should know
};

// Mirrored by `ffi::Callbacks`.
struct nncheck_callbacks {
  void* state;
  void (*start)(void* state, const char* name, const nncheck_input* inputs, size_t count);
  void (*end)(void* state, const nncheck_output* outputs, size_t count);
};

}  // extern "C"

namespace {

// One watch on this thread. Watches nest; only the innermost one's callbacks are enabled.
struct Watch {
  nncheck_callbacks callbacks;
  at::CallbackHandle handle = at::INVALID_CALLBACK_HANDLE;
  size_t depth = 0;
  Watch* outer = nullptr;
};

// Thread-local callbacks follow JIT forks and autograd onto other threads, where this is null and they do nothing.
thread_local Watch* innermost = nullptr;

const void* storage_of(const at::Tensor& tensor) {
  if (!tensor.defined() || !tensor.has_storage()) return nullptr;
  return tensor.unsafeGetTensorImpl()->unsafe_storage().unsafeGetStorageImpl();
}

// Calls `visit` with each tensor of an operator's argument or result, also inside lists (LSTM's parameters).
template <typename Visit>
void each_tensor(const c10::IValue& value, const Visit& visit) {
  if (value.isTensor()) {
    const at::Tensor& tensor = value.toTensor();
    if (tensor.defined()) visit(tensor);
  } else if (value.isList()) {
    for (const c10::IValue& element : value.toListRef()) each_tensor(element, visit);
  } else if (value.isTuple()) {
    for (const c10::IValue& element : value.toTupleRef().elements()) each_tensor(element, visit);
  }
}

// TorchScript passes its whole stack for the inputs and outputs; an operator's own are the last ones.
c10::ArrayRef<const c10::IValue> last(const c10::IValue* values, size_t size, size_t count) {
  return size > count ? c10::ArrayRef<const c10::IValue>(values + (size - count), count)
                      : c10::ArrayRef<const c10::IValue>(values, size);
}

nncheck_input describe_input(const at::Tensor& tensor) {
  nncheck_input input{};
  input.tensor = &tensor;
  input.storage = storage_of(tensor);
  if (tensor.requires_grad() && tensor.is_leaf() && tensor.layout() == at::kStrided) {
    input.trained = true;
    input.sizes = tensor.sizes().data();
    input.dimensions = tensor.sizes().size();
  }
  return input;
}

nncheck_output describe(const at::Tensor& tensor) {
  nncheck_output output{};
  output.tensor = &tensor;
  output.storage = storage_of(tensor);
  output.floating = at::isFloatingType(tensor.scalar_type());
  output.sizes = tensor.sizes().data();
  output.dimensions = tensor.sizes().size();
  output.entries = static_cast<size_t>(tensor.numel());
  // Statistics do not depend on the order of the entries: dense is enough, contiguous is not needed.
  output.data = nncheck_plain_entries(tensor);
  output.bytes = tensor.scalar_type() == at::kFloat ? 4 : 8;
  return output;
}

std::unique_ptr<at::ObserverContext> on_start(const at::RecordFunction& function) {
  Watch* const watch = innermost;
  if (watch == nullptr) return nullptr;
  // In a backward pass the engine's own `evaluate_function`, which returns nothing, is the outermost one.
  if (watch->depth++ != 0) return nullptr;
  c10::SmallVector<nncheck_input, 16> inputs;
  const auto values = function.inputs();
  for (const c10::IValue& input : last(values.data(), values.size(), function.num_inputs())) {
    each_tensor(input, [&](const at::Tensor& tensor) {
      // The 2 of `x * 2` is a tensor by now, but none of the model's.
      if (!tensor.unsafeGetTensorImpl()->is_wrapped_number()) inputs.push_back(describe_input(tensor));
    });
  }
  watch->callbacks.start(watch->callbacks.state, function.name(), inputs.data(), inputs.size());
  return nullptr;
}

void on_end(const at::RecordFunction& function, at::ObserverContext*) {
  Watch* const watch = innermost;
  if (watch == nullptr || watch->depth == 0) return;
  if (watch->depth > 1) {
    --watch->depth;
    return;
  }
  // The depth stays at one until Rust is done: what it calls for reading is not an operator of the model.
  struct Leave {
    Watch* watch;
    ~Leave() { --watch->depth; }
  } leave{watch};
  c10::SmallVector<nncheck_output, 4> outputs;
  const auto& values = function.outputs();
  for (const c10::IValue& value : last(values.data(), values.size(), function.num_outputs())) {
    each_tensor(value, [&](const at::Tensor& tensor) {
      try {
        outputs.push_back(describe(tensor));
      } catch (const std::exception&) {  // nested tensors have no sizes: no layer that statistics are known for
      }
    });
  }
  watch->callbacks.end(watch->callbacks.state, outputs.data(), outputs.size());
}

// Runs `body`; what it throws becomes a message in `error`, if there is one, for nothing may be thrown into Rust.
template <typename Body>
bool guarded(char* error, size_t capacity, const Body& body) noexcept {
  try {
    body();
    return true;
  } catch (const std::exception& exception) {
    if (error != nullptr) std::snprintf(error, capacity, "%s", exception.what());
  } catch (...) {
    if (error != nullptr) std::snprintf(error, capacity, "unknown C++ exception");
  }
  return false;
}

}  // namespace

extern "C" {

// Starts watching this thread. Returns null, with a message, if libtorch refuses.
void* nncheck_install(nncheck_callbacks callbacks, char* error, size_t capacity) noexcept {
  Watch* installed = nullptr;
  guarded(error, capacity, [&] {
    auto watch = std::make_unique<Watch>();
    watch->callbacks = callbacks;
    watch->outer = innermost;
    watch->handle = at::addThreadLocalCallback(
        at::RecordFunctionCallback(on_start, on_end)
            .needsInputs(true)
            .needsOutputs(true)
            .scopes({at::RecordScope::FUNCTION}));
    if (watch->outer != nullptr) at::disableCallback(watch->outer->handle);
    installed = innermost = watch.release();
  });
  return installed;
}

// Ends the innermost watch, on the thread that began it.
void nncheck_remove(void* installed) noexcept {
  Watch* const watch = static_cast<Watch*>(installed);
  innermost = watch->outer;
  guarded(nullptr, 0, [&] { at::removeCallback(watch->handle); });
  if (watch->outer != nullptr) {
    guarded(nullptr, 0, [&] { at::reenableCallback(watch->outer->handle); });
  }
  delete watch;
}

// The identity of a tensor's storage, null if it has none.
const void* nncheck_storage(const at::Tensor* tensor) noexcept {
  const void* storage = nullptr;
  guarded(nullptr, 0, [&] { storage = storage_of(*tensor); });
  return storage;
}

// What there is to see of a tensor; false where it has no sizes.
bool nncheck_describe(const at::Tensor* tensor, nncheck_output* output) noexcept {
  return guarded(nullptr, 0, [&] { *output = describe(*tensor); });
}

// Reads any floating tensor as doubles on the CPU, without autograd, view tracking or callbacks seeing it.
bool nncheck_read(
    const at::Tensor* tensor,
    void* state,
    void (*take)(void* state, const double* values, size_t count),
    char* error,
    size_t capacity) noexcept {
  return guarded(error, capacity, [&] {
    at::DisableRecordFunctionGuard unrecorded;
    c10::AutoGradMode no_grad(false);
    at::AutoDispatchBelowADInplaceOrView below;
    at::Tensor values = tensor->layout() == at::kStrided ? *tensor : tensor->to_dense();
    values = values.to(at::TensorOptions(at::kCPU).dtype(at::kDouble)).contiguous().resolve_neg();
    take(state, static_cast<const double*>(values.const_data_ptr()), static_cast<size_t>(values.numel()));
  });
}

}  // extern "C"
