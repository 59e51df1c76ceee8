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

// One operand and its tile; dimensions innermost first: d, head, row, batch.
struct TensorMapShape {
  static constexpr std::size_t rank = 4;
  void* address = nullptr;  // the lowest of any element
  Dtype dtype = Dtype::f16;
  std::array<std::uint64_t, rank> size{};              // elements; at least 1
  std::array<std::uint64_t, rank - 1> stride_bytes{};  // of head, row and batch; never used where the size is 1
  std::array<std::uint32_t, rank> box{};               // elements
  int swizzle_bytes = 0;                               // 0, 32, 64, 128
};

// Strides of a map are above 0 (CUDA driver API, cuTensorMapEncodeTiled). Of an operand whose heads or batches have
// stride 0, the map has one; of one where they have a negative stride, it begins at the last. Kernels compute their
// coordinates accordingly (templates/cuda/map_place.cuh).
// Throws RefusalError for what is left that cannot be described: rows that are not 16-byte aligned, strides not above 0
// of what is copied many at a time (rows, and the heads of a pack), strides that are no multiples of 16 bytes, boxes
// beyond 256 elements.
[[nodiscard]] TensorMapShape tensor_map_shape(const TensorMapSpec& spec, const Problem& problem,
                                              const AttentionTensors& tensors,
                                              std::span<const AttentuneScalar> scalars);

}  // namespace attentune
