// cvt: from any PTX number type to any other.
// Source: PTX ISA 9.0, section 9.7.9.21.
#pragma once

#include <cstdint>

#include "runtime/simulator/numerics/rounding.h"

namespace attentune::numerics {

enum class Number : std::uint8_t { u8, u16, u32, u64, s8, s16, s32, s64, f16, bf16, tf32, f32, f64, e4m3, e5m2 };

[[nodiscard]] int bits_of(Number type) noexcept;  // tf32: 32, the register it lives in

// One scalar conversion. What the instruction spells decides, nothing is checked: a form PTX does not have gives some
// value. Of a packed form this is what happens to each element.
struct Conversion {
  Number to = Number::f32;
  Number from = Number::f32;
  Rounding rounding = Rounding::nearest_even;  // .rn .rz .rm .rp .rna, or the integer modes
  bool to_integral = false;                    // an integer mode between floats: cvt.rni.f32.f32
  bool ftz = false;                            // f32 inputs and results only
  bool sat = false;                            // floats to [0, 1] with NaN to +0; integers to the range of `to`
  bool relu = false;                           // negative to 0, NaN to the canonical NaN
  bool satfinite = false;                      // beyond the largest finite value, infinity included, to that value
};

// The low bits_of(form.from) bits of `source` converted. An integer result is extended to 64 bits by its own
// signedness, as a wider destination register wants it; a float result is its pattern (tf32: an f32 whose low 13 bits
// are 0). An integer to a narrower one without .sat is cut. NaN to an integer is 0, or 1 << (bits - 1) where the source
// is f64 or the destination has 64 bits. Cost: some 10 ns.
[[nodiscard]] std::uint64_t convert(const Conversion& form, std::uint64_t source) noexcept;

// cvt.rn.f16x2.f32 d, a, b and cvt.rn.satfinite.e4m3x2.f32 d, a, b: the first source is the high part.
[[nodiscard]] std::uint32_t convert_pair(const Conversion& form, std::uint32_t high, std::uint32_t low) noexcept;

// Both elements of a packed register: f16x2 <-> e4m3x2, e5m2x2; high to high, low to low.
[[nodiscard]] std::uint32_t convert_packed(const Conversion& form, std::uint32_t source) noexcept;

}  // namespace attentune::numerics
