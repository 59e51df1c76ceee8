#include "runtime/tensor_map.h"

#include <algorithm>
#include <charconv>
#include <cstdlib>
#include <string>
#include <string_view>

#include "generator/error.h"
#include "generator/integer.h"

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

// What a dense tensor has inside one element of the axis: the least stride the driver's documentation knows of.
std::uint64_t bytes_within(const TensorMapShape& shape, const std::size_t axis) {
  constexpr std::uint64_t most = most_stride - alignment;
  const std::uint64_t inner = axis == 0 ? size_of(shape.dtype) : shape.stride_bytes[axis - 1];
  if (shape.size[axis] > most / inner)
    return most;
  return static_cast<std::uint64_t>(align_up(static_cast<std::int64_t>(inner * shape.size[axis]), alignment));
}

// Sets the stride of axis 0 (head), 1 (row) or 2 (batch), whose size and box are set; may reduce the size to 1, and
// move the address to the last element.
void describe_axis(const TensorMapSpec& spec, TensorMapShape& shape, const std::size_t axis,
                   const std::int64_t stride) {
  constexpr std::array names{"head", "row", "batch"};
  constexpr std::size_t row_axis = 1;
  const auto refusal = [&](const char* const limit, const char* const remedy) {
    return RefusalError({.field = spec.tensor + ".stride_" + names[axis],
                         .value = std::to_string(stride),
                         .limit = limit,
                         .remedy = remedy});
  };
  std::uint64_t& size = shape.size[axis + 1];
  const bool many_at_a_time = axis == row_axis || shape.box[axis + 1] > 1;
  if (many_at_a_time && size > 1 && stride <= 0)
    throw refusal("this kernel copies several of this axis at a time, so its stride must be above 0",
                  "copy the tensor");
  if (size == 1 || stride == 0) {
    size = 1;
    shape.stride_bytes[axis] = bytes_within(shape, axis);  // never used, but it must be sound
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
  const std::int64_t sizes[] = {operand.dim, operand.heads, operand.len, problem.batch};
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
  std::ranges::transform(spec.box, shape.box.begin(),
                         [&](const std::string& text) { return box_extent(spec, text, scalars); });
  const std::array strides{operand.view.stride[2], operand.view.stride[1], operand.view.stride[0]};
  for (std::size_t n = 0; n < strides.size(); ++n)
    describe_axis(spec, shape, n, strides[n]);
  return shape;
}

}  // namespace attentune
