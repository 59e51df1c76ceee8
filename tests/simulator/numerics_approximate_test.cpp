#include "runtime/simulator/numerics/approximate.h"

#include <doctest/doctest.h>

#include <bit>
#include <cmath>
#include <limits>
#include <random>
#include <set>

using namespace attentune::numerics;

namespace {

constexpr float infinity = std::numeric_limits<float>::infinity();
constexpr float not_a_number = std::numeric_limits<float>::quiet_NaN();

std::uint32_t word(float value) { return std::bit_cast<std::uint32_t>(value); }

// Patterns of finite floats of one sign count ulps.
std::int64_t ulps_apart(float a, float b) {
  return std::abs(static_cast<std::int64_t>(word(a)) - static_cast<std::int64_t>(word(b)));
}

// `exactly` for every seed, none included.
void check_exact(auto function, float a, float exactly) {
  for (std::uint64_t seed = 0; seed < 50; ++seed)
    CHECK(word(function(a, seed)) == (std::isnan(exactly) ? 0x7FFF'FFFFU : word(exactly)));
}

// Every result lies within `bound(a, truth)` of the truth, seed 0 gives the correctly rounded one, and seeds differ.
void check_bound(auto function, auto truth_of, auto bound, float least, float most) {
  std::mt19937 random{12};
  std::uniform_real_distribution<float> any{least, most};
  double widest = 0;  // of the bound
  for (int i = 0; i < 2'000; ++i) {
    const float a = any(random);
    const double truth = truth_of(static_cast<double>(a));
    REQUIRE(word(function(a, 0)) == word(static_cast<float>(truth)));
    for (std::uint64_t seed = 1; seed < 20; ++seed) {
      const double error = std::fabs(function(a, seed) - truth);
      REQUIRE(error <= std::max(bound(a, truth), std::fabs(static_cast<float>(truth) - truth)));
      widest = std::max(widest, error / bound(a, truth));
    }
    REQUIRE(word(function(a, 7)) == word(function(a, 7)));
  }
  CHECK(widest > 0.9);
}

}  // namespace

TEST_CASE("approximate functions: the special cases of the ISA's tables") {
  const auto ex2 = [](float a, std::uint64_t seed) { return ex2_approx(a, false, seed); };
  const auto ex2_ftz = [](float a, std::uint64_t seed) { return ex2_approx(a, true, seed); };
  check_exact(ex2, -infinity, 0.0F);
  check_exact(ex2, -0.0F, 1.0F);
  check_exact(ex2, 0.0F, 1.0F);
  check_exact(ex2, infinity, infinity);
  check_exact(ex2, not_a_number, not_a_number);
  check_exact(ex2, -1e30F, 0.0F);
  check_exact(ex2, 200.0F, infinity);
  check_exact(ex2_ftz, 0x1p-130F, 1.0F);
  check_exact(ex2_ftz, -130.0F, 0.0F);
  CHECK(ex2_approx(-130.0F, false, 0) == 0x1p-130F);

  const auto lg2 = [](float a, std::uint64_t seed) { return lg2_approx(a, false, seed); };
  const auto lg2_ftz = [](float a, std::uint64_t seed) { return lg2_approx(a, true, seed); };
  check_exact(lg2, -infinity, not_a_number);
  check_exact(lg2, -1.0F, not_a_number);
  check_exact(lg2, -0.0F, -infinity);
  check_exact(lg2, 0.0F, -infinity);
  check_exact(lg2, infinity, infinity);
  check_exact(lg2_ftz, -0x1p-130F, -infinity);
  check_exact(lg2, not_a_number, not_a_number);

  const auto rcp = [](float a, std::uint64_t seed) { return rcp_approx(a, true, seed); };
  check_exact(rcp, -infinity, -0.0F);
  check_exact(rcp, -0.0F, -infinity);
  check_exact(rcp, 0.0F, infinity);
  check_exact(rcp, infinity, 0.0F);
  check_exact(rcp, not_a_number, not_a_number);
  check_exact(rcp, 0x1p-130F, infinity);
  check_exact(rcp, 0x1.8p126F, 0.0F);  // a subnormal result

  const auto rsqrt = [](float a, std::uint64_t seed) { return rsqrt_approx(a, false, seed); };
  check_exact(rsqrt, -infinity, not_a_number);
  check_exact(rsqrt, -2.0F, not_a_number);
  check_exact(rsqrt, -0.0F, -infinity);
  check_exact(rsqrt, 0.0F, infinity);
  check_exact(rsqrt, infinity, 0.0F);

  const auto root = [](float a, std::uint64_t seed) { return sqrt_approx(a, false, seed); };
  check_exact(root, -1.0F, not_a_number);
  check_exact(root, -0.0F, -0.0F);
  check_exact(root, infinity, infinity);

  const auto hyperbolic = [](float a, std::uint64_t seed) { return tanh_approx(a, seed); };
  check_exact(hyperbolic, -infinity, -1.0F);
  check_exact(hyperbolic, infinity, 1.0F);
  check_exact(hyperbolic, -0.0F, -0.0F);
  check_exact(hyperbolic, not_a_number, not_a_number);
  check_exact(hyperbolic, 0x1p-130F, 0x1p-130F);

  const auto sine = [](float a, std::uint64_t seed) { return sin_approx(a, false, seed); };
  const auto cosine = [](float a, std::uint64_t seed) { return cos_approx(a, false, seed); };
  check_exact(sine, infinity, not_a_number);
  check_exact(sine, -0.0F, -0.0F);
  check_exact(cosine, -infinity, not_a_number);
  check_exact(cosine, -0.0F, 1.0F);
}

TEST_CASE("approximate functions: errors reach the documented bound and keep within it") {
  const auto ulp = [](double truth) {
    const auto nearest = std::fabs(static_cast<float>(truth));
    return static_cast<double>(nearest) - std::nextafter(nearest, 0.0F);
  };
  const auto relative = [](double bound) { return [bound](float, double truth) { return bound * std::fabs(truth); }; };
  check_bound([](float a, std::uint64_t seed) { return ex2_approx(a, true, seed); },
              [](double x) { return std::exp2(x); }, [&](float, double truth) { return 2.5 * ulp(truth); }, -20.0F,
              3.0F);
  check_bound([](float a, std::uint64_t seed) { return rcp_approx(a, false, seed); }, [](double x) { return 1 / x; },
              [&](float, double truth) { return 1.5 * ulp(truth); }, 0.01F, 100.0F);
  check_bound([](float a, std::uint64_t seed) { return lg2_approx(a, false, seed); },
              [](double x) { return std::log2(x); }, [](float, double) { return 0x1p-22; }, 0.51F, 1.99F);
  check_bound([](float a, std::uint64_t seed) { return lg2_approx(a, false, seed); },
              [](double x) { return std::log2(x); }, relative(0x1p-22), 2.0F, 1000.0F);
  check_bound([](float a, std::uint64_t seed) { return rsqrt_approx(a, false, seed); },
              [](double x) { return 1 / std::sqrt(x); }, relative(std::exp2(-22.9)), 0.01F, 100.0F);
  check_bound([](float a, std::uint64_t seed) { return sqrt_approx(a, false, seed); },
              [](double x) { return std::sqrt(x); }, relative(0x1p-23), 0.01F, 100.0F);
  check_bound([](float a, std::uint64_t seed) { return tanh_approx(a, seed); }, [](double x) { return std::tanh(x); },
              relative(0x1p-11), -4.0F, 4.0F);
  check_bound([](float a, std::uint64_t seed) { return sin_approx(a, false, seed); },
              [](double x) { return std::sin(x); }, [](float, double) { return std::exp2(-20.5); }, -6.0F, 6.0F);
  check_bound([](float a, std::uint64_t seed) { return cos_approx(a, false, seed); },
              [](double x) { return std::cos(x); }, [](float, double) { return std::exp2(-14.7); }, 7.0F, 300.0F);
}

TEST_CASE("ex2.approx: all five results within 2 ulp occur, and no other") {
  const float nearest = ex2_approx(0.3F, true, 0);
  std::set<std::int64_t> distances;
  for (std::uint64_t seed = 1; seed < 400; ++seed) {
    const float result = ex2_approx(0.3F, true, seed);
    distances.insert(static_cast<std::int64_t>(word(result)) - static_cast<std::int64_t>(word(nearest)));
  }
  CHECK(distances == std::set<std::int64_t>{-2, -1, 0, 1, 2});
  for (std::uint64_t seed = 1; seed < 400; ++seed) {
    // Below a power of two the ulp halves; near the ends of the range nothing changes sign or overflows.
    CHECK(ulps_apart(ex2_approx(-3.0F, true, seed), 0.125F) <= 2);
    CHECK(!std::signbit(ex2_approx(-149.0F, false, seed)));
    CHECK(ex2_approx(127.99999F, true, seed) <= std::numeric_limits<float>::max());
  }
}

TEST_CASE("division") {
  for (std::uint64_t seed = 0; seed < 50; ++seed) {
    CHECK(ulps_apart(div_approx(1.0F, 3.0F, true, seed), 1.0F / 3.0F) <= 2);
    CHECK(ulps_apart(div_full(1.0F, 0x1.8p126F, false, seed), 1.0F / 0x1.8p126F) <= 2);
    CHECK(word(div_approx(-1.0F, 0x1.8p126F, false, seed)) == 0x8000'0000);
    CHECK(std::isnan(div_approx(infinity, 0x1.8p126F, false, seed)));
    CHECK(div_full(infinity, 0x1.8p126F, false, seed) == infinity);
    CHECK(div_full(1.0F, 0.0F, true, seed) == infinity);
    CHECK(std::isnan(div_full(0.0F, 0.0F, true, seed)));
    CHECK(word(div_approx(1.0F, -infinity, true, seed)) == 0x8000'0000);
  }
}

TEST_CASE("approximate functions of halves: every operand, within the documented errors") {
  double widest_ex2 = 0;
  double widest_tanh = 0;
  for (std::uint32_t a = 0; a < 0x10000; ++a) {
    const auto pattern = static_cast<std::uint16_t>(a);
    const double x = decode_float(f16, pattern);
    for (const std::uint64_t seed : {1U, 2U, 3U}) {
      const double ex2 = decode_float(f16, ex2_approx(f16, pattern, seed));
      const double tanh = decode_float(f16, tanh_approx(f16, pattern, seed));
      if (std::isnan(x)) {
        REQUIRE(ex2_approx(f16, pattern, seed) == 0x7FFF);
        REQUIRE(tanh_approx(f16, pattern, seed) == 0x7FFF);
        continue;
      }
      if (x > -14 && x < 15.9) {
        const double error = std::fabs(ex2 / std::exp2(x) - 1);
        REQUIRE(error <= std::exp2(-9.9));
        widest_ex2 = std::max(widest_ex2, error);
      }
      const double error = std::fabs(tanh - std::tanh(x));
      REQUIRE(error <= std::exp2(-10.987));
      widest_tanh = std::max(widest_tanh, error);
    }
  }
  CHECK(widest_ex2 > 0.9 * std::exp2(-9.9));
  CHECK(widest_tanh > 0.9 * std::exp2(-10.987));

  for (const std::uint64_t seed : {0U, 5U}) {
    CHECK(ex2_approx(f16, 0xFC00, seed) == 0);
    CHECK(ex2_approx(f16, 0x8000, seed) == 0x3C00);
    CHECK(ex2_approx(f16, 0x7C00, seed) == 0x7C00);
    CHECK(ex2_approx(bf16, 0x0001, seed) == 0x3F80);
    CHECK(ex2_approx(bf16, 0xFF80, seed) == 0);
    CHECK(ex2_approx(bf16, 0xC301, seed) == 0);  // 2^-129 flushed
    CHECK(tanh_approx(bf16, 0xFF80, seed) == 0xBF80);
    CHECK(tanh_approx(f16, 0x8000, seed) == 0x8000);
    CHECK(ex2_approx_x2(f16, 0xFC00'8000, seed) == 0x0000'3C00);
    CHECK(tanh_approx_x2(f16, 0x7C00'8000, seed) == 0x3C00'8000);
  }
  CHECK(ex2_approx(f16, 0xCC00, 0) == 0x0100);  // 2^-16, a subnormal of f16
}
