// Forms that compute each lane's result from its own operands and nothing else, which is most of them.
//
//   registry.add("add.s32", elementwise<std::int32_t(std::int32_t, std::int32_t)>(Category::integer, wrapping_add));
#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <tuple>
#include <type_traits>
#include <utility>

#include "runtime/simulator/decode/registry.h"
#include "runtime/simulator/execution/launch.h"
#include "runtime/simulator/execution/warp.h"

namespace attentune::simulator {

// An operation that takes one first has its result moved within a documented error (0: not moved).
struct Seed {
  std::uint64_t value = 0;
};

// One operand of all lanes, as T: bool reads a predicate, 64-bit types a Wides, all others a Words.
template <class T>
class Source {
 public:
  Source(const RegisterFile& registers, const Slot& slot) noexcept {
    if constexpr (std::is_same_v<T, bool>)
      mask_ = registers.predicate(slot);
    else if constexpr (sizeof(T) == 8)
      wides_ = registers.wides[slot.at].data();
    else
      words_ = registers.words[slot.at].data();
  }

  [[nodiscard]] T operator[](std::size_t lane) const noexcept {
    if constexpr (std::is_same_v<T, bool>)
      return (mask_ >> lane & 1) != 0;
    else if constexpr (sizeof(T) == 8)
      return std::bit_cast<T>(wides_[lane]);
    else if constexpr (std::is_same_v<T, float>)
      return std::bit_cast<float>(words_[lane]);
    else
      return static_cast<T>(words_[lane]);
  }

 private:
  Mask mask_ = 0;
  const std::uint32_t* words_ = nullptr;
  const std::uint64_t* wides_ = nullptr;
};

template <class T>
[[nodiscard]] constexpr std::uint32_t to_word(T value) noexcept {
  if constexpr (std::is_same_v<T, float>)
    return std::bit_cast<std::uint32_t>(value);
  else
    return static_cast<std::make_unsigned_t<T>>(value);
}

template <class Operation, class Result, class... Operands>
struct Elementwise {
  static void run(Warp& warp, const Step& step, Mask lanes) {
    run(warp, step, lanes, std::index_sequence_for<Operands...>{});
  }

 private:
  template <std::size_t... I>
  static void run(Warp& warp, const Step& step, Mask lanes, std::index_sequence<I...>) {
    const std::tuple<Source<Operands>...> sources{Source<Operands>(warp.registers, step.input(I))...};
    const auto compute = [&](std::size_t lane) -> Result {
      if constexpr (std::is_invocable_v<Operation, Seed, Operands...>)
        return Operation{}(Seed{warp.launch().options.seed}, std::get<I>(sources)[lane]...);
      else
        return Operation{}(std::get<I>(sources)[lane]...);
    };
    const Slot& slot = step.output(0);
    if constexpr (std::is_same_v<Result, bool>) {
      Mask result = 0;
      for_each_lane(lanes, [&](int lane) { result |= compute(static_cast<std::size_t>(lane)) ? lane_bit(lane) : 0; });
      warp.registers.set_predicate(slot, lanes, result);
    } else if constexpr (sizeof(Result) == 8) {
      store(warp.registers.wides[slot.at], lanes,
            [&](std::size_t lane) { return std::bit_cast<std::uint64_t>(compute(lane)); });
    } else {
      store(warp.registers.words[slot.at], lanes, [&](std::size_t lane) { return to_word(compute(lane)); });
    }
  }

  template <class Lanes, class Compute>
  static void store(Lanes& destination, Mask lanes, Compute&& compute) {
    if (lanes == every_lane) {
      for (std::size_t lane = 0; lane < warp_size; ++lane)
        destination[lane] = compute(lane);
    } else {
      for_each_lane(lanes, [&](int lane) {
        destination[static_cast<std::size_t>(lane)] = compute(static_cast<std::size_t>(lane));
      });
    }
  }
};

template <class T>
inline constexpr int operand_bits = std::is_same_v<T, bool> ? 1
                                    : sizeof(T) == 8        ? 64
                                    : sizeof(T) == 4        ? 32
                                                            : 16;

template <class Signature>
struct ElementwiseForm;

template <class Result, class... Operands>
struct ElementwiseForm<Result(Operands...)> {
  template <class Operation>
  static Form make(Category category) {
    return {.handler = &Elementwise<Operation, Result, Operands...>::run,
            .category = category,
            .output_bits = operand_bits<Result>,
            .input_bits = {operand_bits<Operands>...},
            .inputs = sizeof...(Operands)};
  }
};

// `operation`: a lambda without captures.
template <class Signature, class Operation>
[[nodiscard]] Form elementwise(Category category, Operation) {
  return ElementwiseForm<Signature>::template make<Operation>(category);
}

}  // namespace attentune::simulator
