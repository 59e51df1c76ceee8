// The .approx instructions of 9.7.3 and 9.7.4 with the errors the ISA allows them, and operands where it allows none.
#include <cmath>
#include <limits>

#include "tests/simulator/form_case.h"

namespace attentune::simulator {

std::vector<ApproximateCase> approximate_cases() {
  constexpr double infinity = std::numeric_limits<double>::infinity();
  constexpr float subnormal = 0x1p-130F;
  return {
      // 9.7.3.8: 2 ulp; a divisor past 2^126 gives zero in div.approx alone.
      {"div.approx.f32", {1.0F, 4.0F}, 0.25, 2 * 0x1p-25},
      {"div.approx.f32", {1.0F, 0x1.8p126F}, 0, 0},
      {"div.approx.ftz.f32", {1.0F, 4.0F}, 0.25, 2 * 0x1p-25},
      {"div.approx.ftz.f32", {subnormal, 0x1p-30F}, 0, 0},
      {"div.full.f32", {1.0F, 4.0F}, 0.25, 2 * 0x1p-25},
      {"div.full.f32", {0x1p126F, 0x1.8p126F}, 2.0 / 3, 2 * 0x1p-24 + 0x1p-25},
      {"div.full.ftz.f32", {1.0F, 4.0F}, 0.25, 2 * 0x1p-25},
      {"div.full.ftz.f32", {subnormal, 0x1p-30F}, 0, 0},
      // 9.7.3.13: 1 ulp.
      {"rcp.approx.f32", {4.0F}, 0.25, 0x1p-25},
      {"rcp.approx.f32", {0x1p-127F}, 0x1p127, 0x1p104},
      {"rcp.approx.ftz.f32", {4.0F}, 0.25, 0x1p-25},
      {"rcp.approx.ftz.f32", {subnormal}, infinity, 0},
      // 9.7.3.15: 2^-23 of the result. 9.7.3.16: 2^-22.9.
      {"sqrt.approx.f32", {16.0F}, 4, 4 * 0x1p-23},
      {"sqrt.approx.ftz.f32", {16.0F}, 4, 4 * 0x1p-23},
      {"sqrt.approx.ftz.f32", {subnormal}, 0, 0},
      {"rsqrt.approx.f32", {16.0F}, 0.25, 0.25 * std::exp2(-22.9)},
      {"rsqrt.approx.ftz.f32", {16.0F}, 0.25, 0.25 * std::exp2(-22.9)},
      {"rsqrt.approx.ftz.f32", {subnormal}, infinity, 0},
      // 9.7.3.18, .19: 2^-20.5 within 2 pi of zero.
      {"sin.approx.f32", {0.5F}, 0.479425538604203, std::exp2(-20.5)},
      {"sin.approx.ftz.f32", {0.5F}, 0.479425538604203, std::exp2(-20.5)},
      {"sin.approx.ftz.f32", {subnormal}, 0, 0},
      {"cos.approx.f32", {0.5F}, 0.8775825618903728, std::exp2(-20.5)},
      {"cos.approx.ftz.f32", {0.5F}, 0.8775825618903728, std::exp2(-20.5)},
      {"cos.approx.ftz.f32", {subnormal}, 1, 0},
      // 9.7.3.20: 2^-22 between 0.5 and 2, elsewhere of the result.
      {"lg2.approx.f32", {1.5F}, 0.5849625007211562, 0x1p-22},
      {"lg2.approx.f32", {8.0F}, 3, 3 * 0x1p-22},
      {"lg2.approx.f32", {0.0F}, -infinity, 0},
      {"lg2.approx.ftz.f32", {8.0F}, 3, 3 * 0x1p-22},
      {"lg2.approx.ftz.f32", {subnormal}, -infinity, 0},
      // 9.7.3.21: 2 ulp.
      {"ex2.approx.f32", {3.0F}, 8, 2 * 0x1p-20},
      {"ex2.approx.ftz.f32", {3.0F}, 8, 2 * 0x1p-20},
      {"ex2.approx.ftz.f32", {-std::numeric_limits<float>::infinity()}, 0, 0},
      {"ex2.approx.ftz.f32", {subnormal}, 1, 0},
      // 9.7.3.22: 2^-11 of the result.
      {"tanh.approx.f32", {0.5F}, 0.46211715726000973, 0.46211715726000973 * 0x1p-11},
      {"tanh.approx.f32", {-std::numeric_limits<float>::infinity()}, -1, 0},
      // 9.7.4.9: 2^-10.987 and 2^-8. 9.7.4.10: 2^-9.9 and 2^-7 of the result.
      {"tanh.approx.f16", {0x3800}, 0.46211715726000973, std::exp2(-10.987)},
      {"tanh.approx.bf16", {0x3F00}, 0.46211715726000973, 0x1p-8},
      {"ex2.approx.f16", {0x4200}, 8, 8 * std::exp2(-9.9)},
      {"ex2.approx.ftz.bf16", {0x4040}, 8, 8 * 0x1p-7},
  };
}

}  // namespace attentune::simulator
