// Floating-point arithmetic of f32 and f64: PTX ISA 9.0, section 9.7.3.
#include <cmath>
#include <cstdint>
#include <string>

#include "runtime/simulator/instructions/chapters.h"
#include "runtime/simulator/instructions/elementwise.h"
#include "runtime/simulator/numerics/approximate.h"
#include "runtime/simulator/numerics/float_arithmetic.h"
#include "runtime/simulator/numerics/min_max.h"

namespace attentune::simulator {

namespace {

using numerics::FloatMode;
using numerics::MinMaxMode;
using numerics::Rounding;

// add, sub, mul, fma, and the rest of one rounding and its .ftz and .sat.
template <Rounding rounding, bool ftz, bool sat>
void add_arithmetic(Registry& registry, const std::string& spelled) {
  static constexpr FloatMode mode{.rounding = rounding, .ftz = ftz, .sat = sat};
  const std::string suffix = spelled + (ftz ? ".ftz" : "") + (sat ? ".sat" : "") + ".f32";
  constexpr auto floating = Category::floating;
  registry.add("add" + suffix,
               elementwise<float(float, float)>(floating, [](float a, float b) { return numerics::add(a, b, mode); }));
  registry.add("sub" + suffix,
               elementwise<float(float, float)>(floating, [](float a, float b) { return numerics::add(a, -b, mode); }));
  registry.add("mul" + suffix,
               elementwise<float(float, float)>(floating, [](float a, float b) { return numerics::mul(a, b, mode); }));
  if (spelled.empty())
    return;  // fma and the following always name their rounding
  const Form fma = elementwise<float(float, float, float)>(
      Category::fused_multiply_add, [](float a, float b, float c) { return numerics::fma(a, b, c, mode); });
  registry.add("fma" + suffix, fma);
  registry.add("mad" + suffix, fma);
  if constexpr (!sat) {
    registry.add("div" + suffix, elementwise<float(float, float)>(
                                     floating, [](float a, float b) { return numerics::div(a, b, mode); }));
    registry.add("rcp" + suffix, elementwise<float(float)>(floating, [](float a) { return numerics::rcp(a, mode); }));
    registry.add("sqrt" + suffix, elementwise<float(float)>(floating, [](float a) { return numerics::sqrt(a, mode); }));
  }
}

template <Rounding rounding>
void add_rounding(Registry& registry, const std::string& spelled) {
  add_arithmetic<rounding, false, false>(registry, spelled);
  add_arithmetic<rounding, true, false>(registry, spelled);
  add_arithmetic<rounding, false, true>(registry, spelled);
  add_arithmetic<rounding, true, true>(registry, spelled);
}

float extreme(bool maximum, float a, float b, const MinMaxMode& mode) {
  const auto bits = [](float x) { return std::uint64_t{std::bit_cast<std::uint32_t>(x)}; };
  return std::bit_cast<float>(
      static_cast<std::uint32_t>(numerics::minimum_or_maximum(numerics::f32, maximum, bits(a), bits(b), mode)));
}

template <bool ftz, bool nan, bool xorsign>
void add_min_max(Registry& registry) {
  static constexpr MinMaxMode mode{.ftz = ftz, .nan = nan, .xorsign_abs = xorsign};
  const std::string suffix =
      std::string(ftz ? ".ftz" : "") + (nan ? ".NaN" : "") + (xorsign ? ".xorsign.abs" : "") + ".f32";
  registry.add("min" + suffix, elementwise<float(float, float)>(
                                   Category::floating, [](float a, float b) { return extreme(false, a, b, mode); }));
  registry.add("max" + suffix, elementwise<float(float, float)>(
                                   Category::floating, [](float a, float b) { return extreme(true, a, b, mode); }));
}

template <bool ftz>
void add_approximate(Registry& registry) {
  constexpr auto special = Category::special_function;
  const std::string suffix = std::string(".approx") + (ftz ? ".ftz" : "") + ".f32";
  registry.add("ex2" + suffix, elementwise<float(float)>(special, [](Seed seed, float a) {
                 return numerics::ex2_approx(a, ftz, seed.value);
               }));
  registry.add("lg2" + suffix, elementwise<float(float)>(special, [](Seed seed, float a) {
                 return numerics::lg2_approx(a, ftz, seed.value);
               }));
  registry.add("rcp" + suffix, elementwise<float(float)>(special, [](Seed seed, float a) {
                 return numerics::rcp_approx(a, ftz, seed.value);
               }));
  registry.add("rsqrt" + suffix, elementwise<float(float)>(special, [](Seed seed, float a) {
                 return numerics::rsqrt_approx(a, ftz, seed.value);
               }));
  registry.add("sqrt" + suffix, elementwise<float(float)>(special, [](Seed seed, float a) {
                 return numerics::sqrt_approx(a, ftz, seed.value);
               }));
  registry.add("sin" + suffix, elementwise<float(float)>(special, [](Seed seed, float a) {
                 return numerics::sin_approx(a, ftz, seed.value);
               }));
  registry.add("cos" + suffix, elementwise<float(float)>(special, [](Seed seed, float a) {
                 return numerics::cos_approx(a, ftz, seed.value);
               }));
  registry.add("div" + suffix, elementwise<float(float, float)>(special, [](Seed seed, float a, float b) {
                 return numerics::div_approx(a, b, ftz, seed.value);
               }));
  registry.add(std::string("div.full") + (ftz ? ".ftz" : "") + ".f32",
               elementwise<float(float, float)>(
                   special, [](Seed seed, float a, float b) { return numerics::div_full(a, b, ftz, seed.value); }));
}

void add_double(Registry& registry) {
  constexpr auto floating = Category::floating;
  const Form add = elementwise<double(double, double)>(floating, [](double a, double b) { return a + b; });
  const Form sub = elementwise<double(double, double)>(floating, [](double a, double b) { return a - b; });
  const Form mul = elementwise<double(double, double)>(floating, [](double a, double b) { return a * b; });
  for (const char* rounding : {"", ".rn"}) {
    registry.add(std::string("add") + rounding + ".f64", add);
    registry.add(std::string("sub") + rounding + ".f64", sub);
    registry.add(std::string("mul") + rounding + ".f64", mul);
  }
  registry.add("fma.rn.f64",
               elementwise<double(double, double, double)>(
                   Category::fused_multiply_add, [](double a, double b, double c) { return std::fma(a, b, c); }));
  registry.add("div.rn.f64", elementwise<double(double, double)>(floating, [](double a, double b) { return a / b; }));
  registry.add("neg.f64", elementwise<double(double)>(floating, [](double a) { return -a; }));
  registry.add("abs.f64", elementwise<double(double)>(floating, [](double a) { return std::fabs(a); }));
}

}  // namespace

void register_floating(Registry& registry) {
  add_rounding<Rounding::nearest_even>(registry, "");
  add_rounding<Rounding::nearest_even>(registry, ".rn");
  add_rounding<Rounding::toward_zero>(registry, ".rz");
  add_rounding<Rounding::down>(registry, ".rm");
  add_rounding<Rounding::up>(registry, ".rp");
  add_min_max<false, false, false>(registry);
  add_min_max<true, false, false>(registry);
  add_min_max<false, true, false>(registry);
  add_min_max<true, true, false>(registry);
  add_min_max<false, false, true>(registry);
  add_approximate<false>(registry);
  add_approximate<true>(registry);
  registry.add("tanh.approx.f32", elementwise<float(float)>(Category::special_function, [](Seed seed, float a) {
                 return numerics::tanh_approx(a, seed.value);
               }));
  constexpr auto floating = Category::floating;
  registry.add("neg.f32", elementwise<float(float)>(floating, [](float a) { return -a; }));
  registry.add("abs.f32", elementwise<float(float)>(floating, [](float a) { return std::fabs(a); }));
  registry.add("neg.ftz.f32",
               elementwise<float(float)>(floating, [](float a) { return -numerics::flush_subnormal(a); }));
  registry.add("abs.ftz.f32",
               elementwise<float(float)>(floating, [](float a) { return std::fabs(numerics::flush_subnormal(a)); }));
  add_double(registry);
}

}  // namespace attentune::simulator
