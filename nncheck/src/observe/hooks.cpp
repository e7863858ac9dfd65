// Keeps the gradients that a backward pass hands to chosen tensors of a forward pass.

#include <ATen/core/Tensor.h>
#include <ATen/ops/clone.h>
#include <ATen/record_function.h>
#include <c10/core/GradMode.h>

#include <cstdint>
#include <exception>
#include <memory>
#include <mutex>
#include <vector>

namespace {

// What hooks write to. A hook belongs to the graph, which lives as long as any tensor of it, wherever the model keeps
// one: so it holds its recording weakly, and finds nothing to write to once Rust has let go of it. The engine runs hooks on
// the thread that asked for the gradients for nodes of the CPU, and on a thread of its own for those of each other device:
// hence the lock. Rust reads when the backward pass has returned, which it does only after its last node; on a GPU the copy
// is queued behind the gradient and before whatever reads it, on the stream of the forward pass.
struct Recording {
  std::mutex mutex;
  bool open = false;
  std::vector<at::Tensor> gradients;
};

using Handle = std::shared_ptr<Recording>;

Handle& of(void* recording) { return *static_cast<Handle*>(recording); }

}  // namespace

extern "C" {

// A recording without hooks, closed; null where there is no memory for one.
void* nncheck_recording_new() noexcept {
  try {
    return new Handle(std::make_shared<Recording>());
  } catch (const std::exception&) {
    return nullptr;
  }
}

// Its hooks do nothing from now on.
void nncheck_recording_free(void* recording) noexcept { delete static_cast<Handle*>(recording); }

// Puts a hook on the tensor as it is now, and returns the number of its gradient; -1 where autograd knows of none. The hook
// goes to the operator that made the tensor: should another one overwrite the tensor later, the gradient is still that of
// the value that it has now.
int64_t nncheck_recording_hook(void* recording, const at::Tensor* tensor) noexcept {
  try {
    if (!tensor->requires_grad()) return -1;
    const Handle& handle = of(recording);
    size_t index = 0;
    {
      const std::lock_guard<std::mutex> lock(handle->mutex);
      index = handle->gradients.size();
      handle->gradients.emplace_back();
    }
    tensor->register_hook([weak = std::weak_ptr<Recording>(handle), index](const at::TensorBase& gradient) {
      const Handle held = weak.lock();
      if (held == nullptr || !gradient.defined()) return;
      const std::lock_guard<std::mutex> lock(held->mutex);
      // Gradients that the model itself asks for in its forward pass, as for a penalty on them, are not meant.
      if (!held->open) return;
      const at::DisableRecordFunctionGuard unrecorded;
      const c10::AutoGradMode no_grad(false);
      // Copied: the engine adds up the gradients of several uses in place where it can.
      held->gradients[index] = at::Tensor(gradient).detach().clone();
    });
    return static_cast<int64_t>(index);
  } catch (const std::exception&) {
    return -1;
  }
}

// Whether hooks write.
void nncheck_recording_open(void* recording, bool open) noexcept {
  const std::lock_guard<std::mutex> lock(of(recording)->mutex);
  of(recording)->open = open;
}

// The gradient of this number, given away; null where there was none.
at::Tensor* nncheck_recording_take(void* recording, size_t index) noexcept {
  try {
    const std::lock_guard<std::mutex> lock(of(recording)->mutex);
    std::vector<at::Tensor>& gradients = of(recording)->gradients;
    if (index >= gradients.size() || !gradients[index].defined()) return nullptr;
    auto given = std::make_unique<at::Tensor>();
    std::swap(*given, gradients[index]);
    return given.release();
  } catch (const std::exception&) {
    return nullptr;
  }
}

}  // extern "C"
