// Happens-before checks of one warp instruction's accesses.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "runtime/simulator/execution/warp.h"
#include "runtime/simulator/races/shadow.h"

namespace attentune::simulator {

// `offsets`: of each lane, from the begin of the shadow. Throws Fault naming both sides of a race. `memory`: what it
// is, for the message. Lanes that write one byte in one instruction race too, unless the instruction is atomic.
//
// Stores of equal bytes are no race outside of strict mode: compilers replicate values over lanes and over the warps of
// a block, and let all of them store. Across warps that holds for `held`, what the memory holds now (null: nothing).
void check_races(Warp& warp, Shadow& shadow, const Addresses& offsets, Mask lanes, const Touch& touch,
                 std::string_view memory, const std::byte* held = nullptr);

// "written by warp 3 (PTX line 12, attention.cu:40)", of an access the shadow recorded earlier.
[[nodiscard]] std::string describe_access(const Warp& warp, const Access& access);
// What is missing between a conflicting access and an earlier one.
[[nodiscard]] std::string_view advice(const Warp& warp, const Access& earlier);

}  // namespace attentune::simulator
