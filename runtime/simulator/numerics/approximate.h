// The .approx instructions: the true value, moved by a seeded error within the bound the ISA documents.
// Source: PTX ISA 9.0, sections 9.7.3.8, .13, .15, .16, .18 to .22 (f32), 9.7.4.9 and 9.7.4.10 (f16, bf16).
#pragma once

#include <cstdint>

#include "runtime/simulator/numerics/format.h"

namespace attentune::numerics {

// seed 0: the correctly rounded result. Any other: a result drawn from those the documented bound allows, the same for
// the same operands, whoever asks. The special cases of the ISA's tables (infinities, zeros, NaN) are exact for every
// seed, and so is ftz. Powers of two that ex2 and rcp could give exactly may move too: the bound allows it.
[[nodiscard]] float ex2_approx(float a, bool ftz, std::uint64_t seed) noexcept;
[[nodiscard]] float lg2_approx(float a, bool ftz, std::uint64_t seed) noexcept;
[[nodiscard]] float rcp_approx(float a, bool ftz, std::uint64_t seed) noexcept;
[[nodiscard]] float rsqrt_approx(float a, bool ftz, std::uint64_t seed) noexcept;
[[nodiscard]] float sqrt_approx(float a, bool ftz, std::uint64_t seed) noexcept;
[[nodiscard]] float tanh_approx(float a, std::uint64_t seed) noexcept;
[[nodiscard]] float sin_approx(float a, bool ftz, std::uint64_t seed) noexcept;
[[nodiscard]] float cos_approx(float a, bool ftz, std::uint64_t seed) noexcept;
// div.approx: for |b| in (2^126, 2^128) zero, or NaN where a is infinite; div.full has no such hole.
[[nodiscard]] float div_approx(float a, float b, bool ftz, std::uint64_t seed) noexcept;
[[nodiscard]] float div_full(float a, float b, bool ftz, std::uint64_t seed) noexcept;

// ex2.approx.f16, ex2.approx.ftz.bf16, tanh.approx.{f16, bf16}, and both halves of their x2 forms. `format` is f16 or
// bf16; ex2 flushes bf16 subnormals and keeps those of f16, as the only forms PTX has.
[[nodiscard]] std::uint16_t ex2_approx(const Format& format, std::uint16_t a, std::uint64_t seed) noexcept;
[[nodiscard]] std::uint16_t tanh_approx(const Format& format, std::uint16_t a, std::uint64_t seed) noexcept;
[[nodiscard]] std::uint32_t ex2_approx_x2(const Format& format, std::uint32_t a, std::uint64_t seed) noexcept;
[[nodiscard]] std::uint32_t tanh_approx_x2(const Format& format, std::uint32_t a, std::uint64_t seed) noexcept;

}  // namespace attentune::numerics
