// Shows Rust where a tensor's entries, or those of its gradient, lie in memory.

#include <ATen/core/Tensor.h>

#include <cstddef>
#include <cstdint>

#include "memory.hpp"

extern "C" {

// Mirrored by `memory::Raw`.
struct nncheck_memory {
  const void* data;  // null: there is nothing, or it is not plain
  size_t entries;
  int64_t version;   // how often it was changed in place; -1 where libtorch does not count
  uint8_t bytes;     // of an entry: 4 or 8
  bool defined;      // false: there is no such tensor
};

nncheck_memory nncheck_memory_of(const at::Tensor* tensor, bool gradient) noexcept {
  nncheck_memory memory{};
  memory.version = -1;
  try {
    const at::Tensor& of = gradient ? tensor->grad() : *tensor;
    if (!of.defined()) return memory;
    memory.defined = true;
    memory.data = nncheck_plain_entries(of);
    memory.entries = static_cast<size_t>(of.numel());
    memory.bytes = of.scalar_type() == at::kFloat ? 4 : 8;
    memory.version = of._version();
  } catch (...) {  // an inference tensor has no version
  }
  return memory;
}

}  // extern "C"
