// What lies in memory as plain floats or doubles.

#pragma once

#include <ATen/core/Tensor.h>

// The first of `numel` floats or doubles in memory, in whatever order, each once; null where a tensor is not that: half
// precision, other devices, gaps, sparse, lazily negated.
inline const void* nncheck_plain_entries(const at::Tensor& tensor) {
  const auto type = tensor.scalar_type();
  const bool plain = (type == at::kFloat || type == at::kDouble) && tensor.layout() == at::kStrided &&
      tensor.device().is_cpu() && !tensor.is_neg() && !tensor._is_zerotensor() && tensor.has_storage() &&
      tensor.is_non_overlapping_and_dense();
  return plain ? tensor.const_data_ptr() : nullptr;  // const: a lazily copied storage stays shared
}
