// The reductions of cp.reduce.async.bulk: PTX ISA 9.0, section 9.7.9.25.4.2.
#include <algorithm>
#include <cmath>
#include <cstring>

#include "runtime/simulator/execution/bulk_copy.h"
#include "runtime/simulator/numerics/format.h"

namespace attentune::simulator {

namespace {

template <class Integer>
Integer combined(Reduction reduction, Integer memory, Integer value) noexcept {
  switch (reduction) {
    case Reduction::add:
      return static_cast<Integer>(static_cast<std::uint64_t>(memory) + static_cast<std::uint64_t>(value));
    case Reduction::min:
      return std::min(memory, value);
    case Reduction::max:
      return std::max(memory, value);
    case Reduction::inc:
      return memory >= value ? Integer{0} : static_cast<Integer>(memory + 1);
    case Reduction::dec:
      return memory == 0 || memory > value ? value : static_cast<Integer>(memory - 1);
    case Reduction::conjunction:
      return memory & value;
    case Reduction::disjunction:
      return memory | value;
    case Reduction::exclusive:
      return memory ^ value;
    case Reduction::none:
      break;
  }
  return value;
}

template <class Float>
Float combined_floats(Reduction reduction, Float memory, Float value) noexcept {
  if (reduction == Reduction::min)
    return std::fmin(memory, value);
  if (reduction == Reduction::max)
    return std::fmax(memory, value);
  return memory + value;
}

template <class Element, class Combine>
void for_each_element(const std::byte* values, std::byte* memory, std::size_t count, Combine&& combine) {
  for (std::size_t i = 0; i + sizeof(Element) <= count; i += sizeof(Element)) {
    Element value{};
    Element old{};
    std::memcpy(&value, values + i, sizeof value);
    std::memcpy(&old, memory + i, sizeof old);
    old = combine(old, value);
    std::memcpy(memory + i, &old, sizeof old);
  }
}

template <class Integer>
void reduce_integers(Reduction reduction, const std::byte* values, std::byte* memory, std::size_t count) {
  for_each_element<Integer>(values, memory, count,
                            [&](Integer old, Integer value) { return combined(reduction, old, value); });
}

template <class Float>
void reduce_floats(Reduction reduction, const std::byte* values, std::byte* memory, std::size_t count) {
  for_each_element<Float>(values, memory, count,
                          [&](Float old, Float value) { return combined_floats(reduction, old, value); });
}

void reduce_halves(const numerics::Format& format, Reduction reduction, const std::byte* values, std::byte* memory,
                   std::size_t count) {
  for_each_element<std::uint16_t>(values, memory, count, [&](std::uint16_t old, std::uint16_t value) {
    const double result =
        combined_floats<double>(reduction, numerics::decode_float(format, old), numerics::decode_float(format, value));
    return static_cast<std::uint16_t>(numerics::encode(format, result, numerics::Rounding::nearest_even));
  });
}

}  // namespace

bool is_reduction(Reduction reduction, ReductionType type) noexcept {
  using T = ReductionType;
  switch (reduction) {
    case Reduction::add:
      return type != T::s64;
    case Reduction::min:
    case Reduction::max:
      return type != T::f32 && type != T::f64;
    case Reduction::inc:
    case Reduction::dec:
      return type == T::u32;
    case Reduction::conjunction:
    case Reduction::disjunction:
    case Reduction::exclusive:
      return type == T::u32 || type == T::u64;
    case Reduction::none:
      break;
  }
  return false;
}

void reduce(Reduction reduction, ReductionType type, const std::byte* values, std::byte* memory, std::size_t count) {
  switch (type) {
    case ReductionType::u32:
      return reduce_integers<std::uint32_t>(reduction, values, memory, count);
    case ReductionType::s32:
      return reduce_integers<std::int32_t>(reduction, values, memory, count);
    case ReductionType::u64:
      return reduce_integers<std::uint64_t>(reduction, values, memory, count);
    case ReductionType::s64:
      return reduce_integers<std::int64_t>(reduction, values, memory, count);
    case ReductionType::f16:
      return reduce_halves(numerics::f16, reduction, values, memory, count);
    case ReductionType::bf16:
      return reduce_halves(numerics::bf16, reduction, values, memory, count);
    case ReductionType::f32:
      return reduce_floats<float>(reduction, values, memory, count);
    case ReductionType::f64:
      return reduce_floats<double>(reduction, values, memory, count);
  }
}

}  // namespace attentune::simulator
