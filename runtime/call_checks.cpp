#include "runtime/call_checks.h"

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "generator/error.h"

namespace attentune {
namespace {

struct Axis {
  std::string_view name;
  std::int64_t size;
  std::int64_t stride;
};

// One operand as the checks see it; the innermost `contiguous` elements follow one another.
struct Operand {
  std::string_view name;
  const void* data;
  std::array<Axis, 3> axes;
  std::int64_t contiguous;
  std::int64_t element_bytes;
  std::int64_t alignment;
  bool written;
};

[[noreturn]] void refuse(const std::string& field, std::string value, std::string limit, std::string remedy) {
  throw RefusalError(
      {.field = field, .value = std::move(value), .limit = std::move(limit), .remedy = std::move(remedy)});
}

bool is_empty(const Operand& operand) {
  for (const Axis& axis : operand.axes) {
    if (axis.size == 0) {
      return true;
    }
  }
  return operand.contiguous == 0;
}

// The largest power of two that divides a number of bytes that is not 0.
std::int64_t alignment_of(const std::int64_t bytes) { return bytes & -bytes; }

void check_stride(const Operand& operand, const Axis& axis) {
  const std::string field = std::string(operand.name) + ".stride_" + std::string(axis.name);
  const std::string value = std::to_string(axis.stride);
  std::int64_t bytes = 0;
  if (__builtin_mul_overflow(axis.stride, operand.element_bytes, &bytes)) {
    refuse(field, value, "it is beyond 64-bit offsets", "pass strides in elements");
  }
  if (bytes % operand.alignment != 0) {
    refuse(field, value,
           "rows must begin at multiples of " + std::to_string(operand.alignment) + " bytes (the problem's align)",
           "use other strides or add align=" + std::to_string(alignment_of(bytes)) + " to the problem");
  }
}

// Of an operand that was checked.
OperandExtent extent(const Operand& operand) {
  std::int64_t before = 0;
  std::int64_t after = operand.contiguous;
  for (const Axis& axis : operand.axes) {
    const std::int64_t span = axis.size > 1 ? (axis.size - 1) * axis.stride : 0;
    (span < 0 ? before : after) += span;
  }
  return {.name = operand.name,
          .begin = reinterpret_cast<std::uintptr_t>(operand.data) +
                   static_cast<std::uintptr_t>(before * operand.element_bytes),
          .bytes = static_cast<std::size_t>((after - before) * operand.element_bytes),
          .written = operand.written};
}

// From the smallest stride on, a step must lead past all that the steps before it reach.
void check_apart(const Operand& operand) {
  std::array<Axis, 3> axes = operand.axes;
  std::ranges::sort(axes, {}, [](const Axis& axis) { return std::abs(axis.stride); });
  std::int64_t covered = operand.contiguous;
  for (const Axis& axis : axes) {
    if (axis.size <= 1)
      continue;
    const std::int64_t step = std::abs(axis.stride);
    if (step < covered) {
      refuse(std::string(operand.name) + ".stride_" + std::string(axis.name), std::to_string(axis.stride),
             "results would overwrite one another", "give every result an element of its own");
    }
    covered += (axis.size - 1) * step;
  }
}

// The farthest element in either direction must have a 64-bit byte offset.
void check_extent(const Operand& operand) {
  std::int64_t reach = operand.contiguous;
  for (const Axis& axis : operand.axes) {
    std::int64_t span = 0;
    const std::int64_t step = axis.size > 1 ? axis.stride : 0;
    if (step == INT64_MIN || __builtin_mul_overflow(axis.size - 1, step < 0 ? -step : step, &span) ||
        __builtin_add_overflow(reach, span, &reach)) {
      reach = -1;
      break;
    }
  }
  std::int64_t bytes = 0;
  if (reach < 0 || __builtin_mul_overflow(reach, operand.element_bytes, &bytes)) {
    refuse(std::string(operand.name), "its sizes times its strides", "it spans more than 2^63 bytes",
           "pass strides in elements");
  }
}

void check(const Operand& operand, std::vector<OperandExtent>& extents) {
  if (is_empty(operand)) {
    return;  // never touched, so anything may stand there
  }
  if (operand.data == nullptr) {
    refuse(std::string(operand.name), "null", "the problem reads or writes it", "pass its address");
  }
  const auto address = reinterpret_cast<std::uintptr_t>(operand.data);
  if (address % static_cast<std::uintptr_t>(operand.alignment) != 0) {
    refuse(std::string(operand.name), "its address",
           "it must be a multiple of " + std::to_string(operand.alignment) + " bytes (the problem's align)",
           "align the memory or add align=" +
               std::to_string(
                   alignment_of(static_cast<std::int64_t>(address % static_cast<std::uintptr_t>(operand.alignment)))) +
               " to the problem");
  }
  for (const Axis& axis : operand.axes) {
    if (axis.size > 1) {
      check_stride(operand, axis);
    }
  }
  check_extent(operand);
  if (operand.written)
    check_apart(operand);
  extents.push_back(extent(operand));
}

void check_tensor(const std::string_view name, const TensorView& view, const Dtype dtype, const Problem& problem,
                  const std::int64_t len, const std::int64_t heads, const std::int64_t dim, const bool written,
                  std::vector<OperandExtent>& extents) {
  if (view.dtype != dtype) {
    refuse(std::string(name), std::string(attentune::name(view.dtype)),
           "the problem has " + std::string(attentune::name(dtype)), "convert the tensor or change the problem");
  }
  check({.name = name,
         .data = view.data,
         .axes = {{{"batch", problem.batch, view.stride[0]},
                   {"row", len, view.stride[1]},
                   {"head", heads, view.stride[2]}}},
         .contiguous = dim,
         .element_bytes = static_cast<std::int64_t>(size_of(dtype)),
         .alignment = problem.alignment,
         .written = written},
        extents);
}

}  // namespace

std::vector<OperandExtent> check_tensors(const Problem& problem, const AttentionTensors& tensors) {
  const Problem& p = problem;
  std::vector<OperandExtent> extents;
  check_tensor("q", tensors.q, p.q, p, p.len_q, p.heads_q, p.head_dim_qk, false, extents);
  check_tensor("k", tensors.k, p.k, p, p.len_kv, p.heads_kv, p.head_dim_qk, false, extents);
  check_tensor("v", tensors.v, p.v, p, p.len_kv, p.heads_kv, p.head_dim_v, false, extents);
  check_tensor("out", tensors.out, p.out, p, p.len_q, p.heads_q, p.head_dim_v, true, extents);
  if (p.lse) {
    check({.name = "lse",
           .data = tensors.lse.data,
           .axes = {{{"batch", p.batch, tensors.lse.stride[0]},
                     {"head", p.heads_q, tensors.lse.stride[1]},
                     {"row", p.len_q, tensors.lse.stride[2]}}},
           .contiguous = 1,
           .element_bytes = sizeof(float),
           .alignment = alignof(float),
           .written = true},
          extents);
  } else if (tensors.lse.data != nullptr) {
    refuse("lse", "an address", "the problem does not compute it", "add outputs=out,lse or pass no address");
  }
  if (p.sink_logit && tensors.sink_logit == nullptr) {
    refuse("sink_logit", "null", "the problem says sink_logit=yes", "pass the address of heads_q floats");
  }
  if (!p.sink_logit && tensors.sink_logit != nullptr) {
    refuse("sink_logit", "an address", "the problem does not read it", "add sink_logit=yes or pass no address");
  }
  if (p.sink_logit && reinterpret_cast<std::uintptr_t>(tensors.sink_logit) % alignof(float) != 0) {
    refuse("sink_logit", "its address", "it must be a multiple of 4 bytes", "align the memory");
  }
  if (p.sink_logit) {
    extents.push_back({.name = "sink_logit",
                       .begin = reinterpret_cast<std::uintptr_t>(tensors.sink_logit),
                       .bytes = static_cast<std::size_t>(p.heads_q) * sizeof(float)});
  }
  for (const OperandExtent& written : extents) {
    for (const OperandExtent& other : extents) {
      if (written.written && written.name != other.name && written.begin == other.begin) {
        refuse(std::string(written.name), "the address of " + std::string(other.name),
               "results would overwrite what others read or write", "give it memory of its own");
      }
    }
  }
  return extents;
}

}  // namespace attentune
