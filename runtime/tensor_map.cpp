#include "runtime/tensor_map.h"

#include <algorithm>
#include <charconv>
#include <cstdlib>
#include <string>
#include <string_view>

#include "generator/error.h"

namespace attentune {
namespace {

constexpr std::int64_t alignment = 16;
constexpr std::int64_t most_box = 256;
constexpr std::int64_t most_stride = std::int64_t{1} << 40;

[[noreturn]] void refuse(const TensorMapSpec& spec, std::string value, std::string limit, std::string remedy) {
  throw RefusalError(
      {.field = spec.tensor, .value = std::move(value), .limit = std::move(limit), .remedy = std::move(remedy)});
}

struct Operand {
  TensorView view;
  std::int64_t len;
  std::int64_t heads;
  std::int64_t dim;
};

Operand operand_of(const TensorMapSpec& spec, const Problem& p, const AttentionTensors& tensors) {
  if (spec.tensor == "q")
    return {tensors.q, p.len_q, p.heads_q, p.head_dim_qk};
  if (spec.tensor == "k")
    return {tensors.k, p.len_kv, p.heads_kv, p.head_dim_qk};
  if (spec.tensor == "v")
    return {tensors.v, p.len_kv, p.heads_kv, p.head_dim_v};
  if (spec.tensor == "out")
    return {tensors.out, p.len_q, p.heads_q, p.head_dim_v};
  throw Error(Status::device_failed,
              "a launch rule names the tensor '" + spec.tensor + "'; run: attentune cache verify");
}

std::uint32_t box_extent(const TensorMapSpec& spec, const std::string& text, std::span<const AttentuneScalar> scalars) {
  std::int64_t value = 0;
  const int error = attentune_evaluate(text.c_str(), scalars.data(), static_cast<int>(scalars.size()), &value);
  if (error != 0 || value < 1 || value > most_box)
    refuse(spec, "box " + text, "a box has 1 to 256 elements a side", "run: attentune cache verify");
  return static_cast<std::uint32_t>(value);
}

int swizzle_bytes(const TensorMapSpec& spec) {
  if (spec.swizzle == "none")
    return 0;
  int bytes = 0;
  std::from_chars(spec.swizzle.data(), spec.swizzle.data() + spec.swizzle.size(), bytes);
  if (bytes != 32 && bytes != 64 && bytes != 128)
    refuse(spec, "swizzle " + spec.swizzle, "it is none, 32, 64 or 128", "run: attentune cache verify");
  return bytes;
}

// Sets the stride of axis 0 (row), 1 (head) or 2 (batch), whose size is set; may reduce the size to 1, and move the
// address to the last element.
void describe_axis(const TensorMapSpec& spec, TensorMapShape& shape, const std::size_t axis,
                   const std::int64_t stride) {
  constexpr std::array names{"row", "head", "batch"};
  const auto refusal = [&](const char* const limit, const char* const remedy) {
    return RefusalError({.field = spec.tensor + ".stride_" + names[axis],
                         .value = std::to_string(stride),
                         .limit = limit,
                         .remedy = remedy});
  };
  std::uint64_t& size = shape.size[axis + 1];
  if (axis == 0 && size > 1 && stride <= 0)
    throw refusal("this kernel copies many rows at a time, and their stride must be above 0", "copy the tensor");
  if (size == 1 || stride == 0) {
    size = 1;
    shape.stride_bytes[axis] = alignment;  // never used, but it must be sound
    return;
  }
  std::int64_t bytes = 0;
  if (__builtin_mul_overflow(stride, static_cast<std::int64_t>(size_of(shape.dtype)), &bytes) ||
      bytes <= -most_stride || bytes >= most_stride || bytes % alignment != 0)
    throw refusal("this kernel needs multiples of 16 bytes below 2^40", "use other strides or copy the tensor");
  if (bytes < 0)
    shape.address = static_cast<char*>(shape.address) + static_cast<std::int64_t>(size - 1) * bytes;
  shape.stride_bytes[axis] = static_cast<std::uint64_t>(std::abs(bytes));
}

}  // namespace

TensorMapShape tensor_map_shape(const TensorMapSpec& spec, const Problem& problem, const AttentionTensors& tensors,
                                const std::span<const AttentuneScalar> scalars) {
  const Operand operand = operand_of(spec, problem, tensors);
  const std::int64_t sizes[] = {operand.dim, operand.len, operand.heads, problem.batch};
  // An operand without elements may have no address and no strides. It is never read, but has to be described: as one
  // element of the output.
  const bool empty = std::ranges::find(sizes, 0) != std::end(sizes);
  void* const address = empty ? tensors.out.data : operand.view.data;
  if (reinterpret_cast<std::uintptr_t>(address) % std::uintptr_t{alignment} != 0)
    refuse(spec, "its address", "this kernel needs a multiple of 16 bytes", "align the memory");
  if (spec.box.size() != TensorMapShape::rank)
    refuse(spec, std::to_string(spec.box.size()) + " box sides", "a box has four", "run: attentune cache verify");

  TensorMapShape shape{.address = address,
                       .dtype = operand.view.dtype,
                       .size = {},
                       .stride_bytes = {},
                       .box = {},
                       .swizzle_bytes = swizzle_bytes(spec)};
  std::ranges::transform(sizes, shape.size.begin(),
                         [&](const std::int64_t size) { return empty ? 1 : static_cast<std::uint64_t>(size); });
  const std::array strides{operand.view.stride[1], operand.view.stride[2], operand.view.stride[0]};
  for (std::size_t n = 0; n < strides.size(); ++n)
    describe_axis(spec, shape, n, strides[n]);
  std::ranges::transform(spec.box, shape.box.begin(),
                         [&](const std::string& text) { return box_extent(spec, text, scalars); });
  return shape;
}

}  // namespace attentune
