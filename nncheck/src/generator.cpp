// The state of libtorch's random generator of the CPU, which tch can seed but neither keep nor put back.

#include <ATen/CPUGeneratorImpl.h>
#include <ATen/core/Generator.h>
#include <ATen/core/Tensor.h>

#include <mutex>

extern "C" {

// A copy of the state; null if libtorch refuses.
void* nncheck_generator_state() noexcept {
  try {
    at::Generator generator = at::detail::getDefaultCPUGenerator();
    std::lock_guard<std::mutex> lock(generator.mutex());
    return new at::Tensor(generator.get_state());
  } catch (...) {
    return nullptr;
  }
}

// Puts a state back and frees it.
void nncheck_generator_restore(void* state) noexcept {
  at::Tensor* const kept = static_cast<at::Tensor*>(state);
  try {
    at::Generator generator = at::detail::getDefaultCPUGenerator();
    std::lock_guard<std::mutex> lock(generator.mutex());
    generator.set_state(*kept);
  } catch (...) {
  }
  delete kept;
}

}  // extern "C"
