#include "runtime/tensor.h"

#include <doctest/doctest.h>

#include <bit>
#include <cmath>
#include <cstdint>
#include <limits>

#include "generator/problem.h"

using namespace attentune;

namespace {

constexpr float infinity = std::numeric_limits<float>::infinity();

std::uint32_t rounded(float value, Dtype dtype) {
  std::uint32_t bits = 0;
  store_element(&bits, 0, dtype, value);
  return bits;
}

float widened(std::uint32_t bits, Dtype dtype) { return load_element(&bits, 0, dtype); }

struct Layout16 {
  Dtype dtype;
  std::uint32_t sign;  // the sign bit
  std::uint32_t max_finite;
  bool saturates;
};
constexpr Layout16 layouts[] = {{Dtype::f16, 0x8000, 0x7BFF, false},
                                {Dtype::bf16, 0x8000, 0x7F7F, false},
                                {Dtype::e4m3, 0x80, 0x7E, true},
                                {Dtype::e5m2, 0x80, 0x7B, true}};

}  // namespace

TEST_CASE("every value of every narrow dtype survives the way to f32 and back") {
  for (const Layout16& layout : layouts) {
    CAPTURE(name(layout.dtype));
    for (std::uint32_t bits = 0; bits < 2 * layout.sign; ++bits) {
      const float value = widened(bits, layout.dtype);
      if (std::isnan(value)) {
        REQUIRE(std::isnan(widened(rounded(value, layout.dtype), layout.dtype)));
      } else if (std::isinf(value) && layout.saturates) {
        REQUIRE((rounded(value, layout.dtype) & ~layout.sign) == layout.max_finite);
      } else {
        REQUIRE(rounded(value, layout.dtype) == bits);
      }
    }
  }
}

TEST_CASE("between two neighbours the nearer wins, and in the middle the even one") {
  for (const Layout16& layout : layouts) {
    CAPTURE(name(layout.dtype));
    for (std::uint32_t bits = 0; bits < layout.max_finite; ++bits) {
      const float low = widened(bits, layout.dtype);
      const float high = widened(bits + 1, layout.dtype);
      REQUIRE(low < high);
      // The middle of two neighbours of a narrow format is an f32, unless both are bf16 subnormals of f32's smallest.
      const float middle = low + (high - low) / 2;
      const std::uint32_t even = (bits & 1U) == 0 ? bits : bits + 1;
      REQUIRE(rounded(middle, layout.dtype) == even);
      REQUIRE(rounded(std::nextafter(middle, 0.0F), layout.dtype) == bits);
      REQUIRE(rounded(std::nextafter(middle, infinity), layout.dtype) == bits + 1);
      REQUIRE(rounded(-middle, layout.dtype) == (layout.sign | even));
    }
  }
}

TEST_CASE("overflow becomes infinity, in fp8 the largest value") {
  for (const Layout16& layout : layouts) {
    CAPTURE(name(layout.dtype));
    const float largest = widened(layout.max_finite, layout.dtype);
    const float step = largest - widened(layout.max_finite - 1, layout.dtype);
    CHECK(rounded(largest + step / 4, layout.dtype) == layout.max_finite);
    const std::uint32_t over = rounded(largest + step, layout.dtype);
    const std::uint32_t infinite = rounded(infinity, layout.dtype);
    if (layout.saturates) {
      CHECK(over == layout.max_finite);
      CHECK(infinite == layout.max_finite);
      CHECK(rounded(-infinity, layout.dtype) == (layout.sign | layout.max_finite));
    } else {
      CHECK(over == layout.max_finite + 1);
      CHECK(infinite == layout.max_finite + 1);
    }
    CHECK(std::isnan(widened(rounded(std::nanf(""), layout.dtype), layout.dtype)));
    CHECK(rounded(0x1p-140F, layout.dtype) == 0);
    CHECK(std::signbit(widened(rounded(-0.0F, layout.dtype), layout.dtype)));
  }
}

TEST_CASE("values the formats are known by") {
  CHECK(widened(0x3C00, Dtype::f16) == 1.0F);
  CHECK(widened(0x0001, Dtype::f16) == 0x1p-24F);
  CHECK(widened(0x7BFF, Dtype::f16) == 65504.0F);
  CHECK(widened(0x3F80, Dtype::bf16) == 1.0F);
  CHECK(widened(0x7E, Dtype::e4m3) == 448.0F);
  CHECK(widened(0x01, Dtype::e4m3) == 0x1p-9F);
  CHECK(std::isnan(widened(0x7F, Dtype::e4m3)));
  CHECK(std::isnan(widened(0xFF, Dtype::e4m3)));
  CHECK(widened(0x7B, Dtype::e5m2) == 57344.0F);
  CHECK(widened(0x01, Dtype::e5m2) == 0x1p-16F);
  CHECK(std::isinf(widened(0x7C, Dtype::e5m2)));
}

TEST_CASE("all ones are NaN in every dtype: poison is NaN") {
  for (const Dtype dtype : {Dtype::f32, Dtype::f16, Dtype::bf16, Dtype::e4m3, Dtype::e5m2}) {
    CHECK(std::isnan(widened(0xFFFFFFFF, dtype)));
  }
}

TEST_CASE("elements are addressed by index and neighbours stay untouched") {
  std::uint8_t bytes[6] = {1, 2, 3, 4, 5, 6};
  store_element(bytes, 2, Dtype::e4m3, 1.0F);
  CHECK(bytes[1] == 2);
  CHECK(bytes[2] == 0x38);
  CHECK(bytes[3] == 4);
  store_element(bytes, 2, Dtype::f16, 1.0F);
  CHECK(bytes[3] == 4);
  CHECK(bytes[4] == 0x00);
  CHECK(bytes[5] == 0x3C);
}

TEST_CASE("contiguous strides are C order") {
  const Problem problem = parse_problem("dtype=f16 batch=2 heads=6/2 head_dim=40/24 seq=5/7 outputs=out,lse");
  const AttentionTensors tensors = contiguous(problem);
  CHECK(tensors.q.stride == std::array<std::int64_t, 3>{5 * 6 * 40, 6 * 40, 40});
  CHECK(tensors.k.stride == std::array<std::int64_t, 3>{7 * 2 * 40, 2 * 40, 40});
  CHECK(tensors.v.stride == std::array<std::int64_t, 3>{7 * 2 * 24, 2 * 24, 24});
  CHECK(tensors.out.stride == std::array<std::int64_t, 3>{5 * 6 * 24, 6 * 24, 24});
  CHECK(tensors.lse.stride == std::array<std::int64_t, 3>{6 * 5, 5, 1});
  CHECK(elements_q(problem) == 2 * tensors.q.stride[0]);
  CHECK(elements_k(problem) == 2 * tensors.k.stride[0]);
  CHECK(elements_v(problem) == 2 * tensors.v.stride[0]);
  CHECK(elements_out(problem) == 2 * tensors.out.stride[0]);
  CHECK(elements_lse(problem) == 2 * tensors.lse.stride[0]);
}
