// Tensor maps: what the tensor memory accelerator needs to know of an operand, as numbers and as a device wants it.
#pragma once

#include <array>
#include <cstdint>
#include <span>

#include "generator/dtype.h"
#include "generator/launch_rule.h"
#include "generator/problem.h"
#include "runtime/tensor.h"
#include "templates/launch.h"

namespace attentune {

// A descriptor as kernels take it, by value (CUtensorMap), or what stands for one on a simulator.
struct alignas(128) TensorMap {
  std::array<std::uint8_t, 128> bytes{};
};

// One operand and its tile; dimensions innermost first: d, row, head, batch.
struct TensorMapShape {
  static constexpr std::size_t rank = 4;
  void* address = nullptr;
  Dtype dtype = Dtype::f16;
  std::array<std::uint64_t, rank> size{};              // elements; at least 1
  std::array<std::uint64_t, rank - 1> stride_bytes{};  // of row, head and batch
  std::array<std::uint32_t, rank> box{};               // elements
  int swizzle_bytes = 0;                               // 0, 32, 64, 128
};

// Throws RefusalError for what the hardware cannot describe (CUDA driver API, cuTensorMapEncodeTiled): rows that are
// not 16-byte aligned, strides that are negative or no multiples of 16 bytes, boxes beyond 256 elements.
[[nodiscard]] TensorMapShape tensor_map_shape(const TensorMapSpec& spec, const Problem& problem,
                                              const AttentionTensors& tensors,
                                              std::span<const AttentuneScalar> scalars);

}  // namespace attentune
