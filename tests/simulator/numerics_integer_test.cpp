#include "runtime/simulator/numerics/integer.h"

#include <doctest/doctest.h>

#include <random>

#include "runtime/simulator/numerics/bits.h"

using namespace attentune::numerics;

namespace {

// The loops of sections 9.7.1.19 and 9.7.1.20, bit by bit.
template <class T>
T extracted_by_bits(T a, std::uint32_t position, std::uint32_t length) {
  const std::uint32_t msb = 8 * sizeof(T) - 1;
  const std::uint32_t pos = position & 0xFF;
  const std::uint32_t len = length & 0xFF;
  const auto bit = [&](std::uint32_t i) { return static_cast<std::uint64_t>(a) >> i & 1; };
  const std::uint64_t sign = std::is_unsigned_v<T> || len == 0 ? 0 : bit(std::min(pos + len - 1, msb));
  std::uint64_t d = 0;
  for (std::uint32_t i = 0; i <= msb; ++i)
    d |= (i < len && pos + i <= msb ? bit(pos + i) : sign) << i;
  return static_cast<T>(d);
}

template <class T>
T inserted_by_bits(T a, T b, std::uint32_t position, std::uint32_t length) {
  T f = b;
  for (std::uint32_t i = 0; i < (length & 0xFF) && (position & 0xFF) + i < 8 * sizeof(T); ++i) {
    const T bit = T{1} << ((position & 0xFF) + i);
    f = (a >> i & 1) != 0 ? f | bit : f & ~bit;
  }
  return f;
}

}  // namespace

TEST_CASE("integers: products") {
  CHECK(mul_wide<std::int32_t>(-3, 5) == std::int64_t{-15});
  CHECK(mul_wide<std::uint32_t>(0xFFFF'FFFF, 0xFFFF'FFFF) == 0xFFFF'FFFE'0000'0001);
  CHECK(mul_wide<std::int16_t>(-32768, -32768) == 1 << 30);
  CHECK(mul_wide<std::uint16_t>(0xFFFF, 0xFFFF) == 0xFFFE'0001);
  CHECK(mul_lo<std::int32_t>(0x10001, 0x10001) == 0x20001);
  CHECK(mul_hi<std::int32_t>(-1, 1) == -1);
  CHECK(mul_hi<std::uint32_t>(0x8000'0000, 6) == 3);
  CHECK(mul_hi<std::uint64_t>(0xFFFF'FFFF'FFFF'FFFF, 0xFFFF'FFFF'FFFF'FFFF) == 0xFFFF'FFFF'FFFF'FFFE);
  CHECK(mul_hi<std::int64_t>(-1, 1) == -1);
  CHECK(mad_wide<std::uint32_t>(0xFFFF'FFFF, 2, 5) == 0x2'0000'0003);
  CHECK(mad_lo<std::int32_t>(0x7FFF'FFFF, 2, 3) == 1);
  CHECK(mad_hi<std::int32_t>(1 << 30, 8, 1) == 3);
  CHECK(mad_lo<std::uint16_t>(0xFFFF, 0xFFFF, 1) == 2);
}

TEST_CASE("integers: sums, quotients, shifts") {
  CHECK(wrapping_add<std::int32_t>(INT32_MAX, 1) == INT32_MIN);
  CHECK(wrapping_sub<std::int64_t>(INT64_MIN, 1) == INT64_MAX);
  CHECK(add_sat(INT32_MAX, 1) == INT32_MAX);
  CHECK(sub_sat(INT32_MIN, 1) == INT32_MIN);
  CHECK(divide<std::int32_t>(-7, 2) == -3);
  CHECK(remainder<std::int32_t>(-7, 2) == -1);
  CHECK(divide<std::int32_t>(INT32_MIN, -1) == INT32_MIN);
  CHECK(remainder<std::int32_t>(INT32_MIN, -1) == 0);
  CHECK(divide<std::uint32_t>(7, 0) == 0xFFFF'FFFF);
  CHECK(absolute<std::int32_t>(INT32_MIN) == INT32_MIN);
  CHECK(absolute<std::int64_t>(-5) == 5);
  CHECK(sad<std::uint32_t>(3, 10, 1) == 8);
  CHECK(sad<std::int32_t>(3, -10, 1) == 14);
  CHECK(shift_left<std::uint32_t>(1, 31) == 0x8000'0000);
  CHECK(shift_left<std::uint32_t>(1, 32) == 0);
  CHECK(shift_left<std::uint64_t>(1, 63) == std::uint64_t{1} << 63);
  CHECK(shift_right<std::int32_t>(-8, 1) == -4);
  CHECK(shift_right<std::int32_t>(-8, 400) == -1);
  CHECK(shift_right<std::uint32_t>(0x8000'0000, 32) == 0);
  CHECK(min_x2<std::int16_t>(0xFFFF'0001, 0x0000'0002) == 0xFFFF'0001);
  CHECK(min_x2<std::uint16_t>(0xFFFF'0001, 0x0000'0002) == 0x0000'0001);
  CHECK(max_x2<std::int16_t>(0xFFFF'0001, 0x0000'0002) == 0x0000'0002);
  CHECK(dp4a<std::int8_t, std::int8_t>(0xFF02'0304, 0x0201'0101, 10) == 17);  // -2 + 2 + 3 + 4 + 10
  CHECK(dp4a<std::uint8_t, std::int8_t>(0xFF00'0000, 0xFF00'0000, 0) == static_cast<std::uint32_t>(-255));
}

TEST_CASE("bits: fields as the loops of the ISA") {
  std::mt19937_64 random{11};
  for (int i = 0; i < 100'000; ++i) {
    const std::uint64_t a = random();
    const std::uint64_t b = random();
    const auto position = static_cast<std::uint32_t>(random() % 100);
    const auto length = static_cast<std::uint32_t>(i % 20 == 0 ? random() : random() % 80);
    const auto check = [&]<class T>(T value) {
      REQUIRE(bit_field_extract(value, position, length) == extracted_by_bits(value, position, length));
    };
    check(static_cast<std::uint32_t>(a));
    check(static_cast<std::int32_t>(a));
    check(a);
    check(static_cast<std::int64_t>(a));
    REQUIRE(bit_field_insert(a, b, position, length) == inserted_by_bits(a, b, position, length));
    const auto low_a = static_cast<std::uint32_t>(a);
    const auto low_b = static_cast<std::uint32_t>(b);
    REQUIRE(bit_field_insert(low_a, low_b, position, length) == inserted_by_bits(low_a, low_b, position, length));
  }
  CHECK(bit_field_extract<std::uint32_t>(0x1234'5678, 8, 8) == 0x56);
  CHECK(bit_field_extract<std::int32_t>(0x0000'8000, 8, 8) == -128);
  CHECK(bit_field_insert<std::uint32_t>(0xAB, 0x1234'5678, 8, 8) == 0x1234'AB78);
}

TEST_CASE("bits: searches") {
  CHECK(bit_reverse<std::uint32_t>(1) == 0x8000'0000);
  CHECK(bit_reverse<std::uint64_t>(0b1101) == std::uint64_t{0b1011} << 60);
  CHECK(find_bit<std::uint32_t>(0x0001'0000, false) == 16);
  CHECK(find_bit<std::uint32_t>(0x0001'0000, true) == 15);
  CHECK(find_bit<std::int32_t>(-1, false) == 0xFFFF'FFFF);
  CHECK(find_bit<std::int32_t>(-5, false) == 2);
  CHECK(find_bit<std::int64_t>(std::int64_t{1} << 40, false) == 40);
  CHECK(find_nth_set(0b1011'0000, 0, 2) == 5);
  CHECK(find_nth_set(0b1011'0000, 7, -1) == 7);
  CHECK(find_nth_set(0b1011'0000, 6, -2) == 4);
  CHECK(find_nth_set(0b1011'0000, 4, 0) == 4);
  CHECK(find_nth_set(0b1011'0000, 6, 0) == 0xFFFF'FFFF);
  CHECK(find_nth_set(0b1011'0000, 0, 4) == 0xFFFF'FFFF);
}

TEST_CASE("bits: funnel shifts and three-input logic") {
  const std::uint32_t a = 0x89AB'CDEF;
  const std::uint32_t b = 0x0123'4567;
  CHECK(funnel_left(a, b, 8, false) == 0x2345'6789);
  CHECK(funnel_right(a, b, 8, false) == 0x6789'ABCD);
  CHECK(funnel_left(a, b, 32, true) == a);
  CHECK(funnel_right(a, b, 99, true) == b);
  CHECK(funnel_left(a, b, 32, false) == b);
  CHECK(funnel_right(a, b, 33, false) == (b << 31 | a >> 1));
  CHECK(funnel_left(a, b, 0, true) == b);
  // The examples of section 9.7.8.6.
  const std::uint32_t c = 0x5A5A'F00F;
  CHECK(lop3(a, b, c, 0x80) == (a & b & c));
  CHECK(lop3(a, b, c, 0xFE) == (a | b | c));
  CHECK(lop3(a, b, c, 0x40) == (a & b & ~c));
  CHECK(lop3(a, b, c, 0x1A) == (((a & b) | c) ^ a));
  CHECK(lop3(a, b, c, 0x96) == (a ^ b ^ c));
}

TEST_CASE("bits: prmt in every mode, the tables of section 9.7.9.7") {
  const std::uint32_t a = 0x8302'0100;  // byte 3 has its sign set; the others are their own numbers
  const std::uint32_t b = 0x0706'0504;
  CHECK(permute(a, b, 0x5410) == 0x0504'0100);
  CHECK(permute(a, b, 0x7632) == 0x0706'8302);
  CHECK(permute(a, b, 0xB8B8) == 0xFF00'FF00);  // the sign of byte 3, the sign of byte 0
  const std::uint32_t plain = 0x0302'0100;
  const auto expect = [&](Permute mode, std::array<std::uint32_t, 4> rows) {
    for (std::uint32_t c = 0; c < 4; ++c)
      CHECK(permute(plain, b, c + 4, mode) == rows[c]);  // only the two low bits select
  };
  expect(Permute::f4e, {0x0302'0100, 0x0403'0201, 0x0504'0302, 0x0605'0403});
  expect(Permute::b4e, {0x0506'0700, 0x0607'0001, 0x0700'0102, 0x0001'0203});
  expect(Permute::rc8, {0x0000'0000, 0x0101'0101, 0x0202'0202, 0x0303'0303});
  expect(Permute::ecl, {0x0302'0100, 0x0302'0101, 0x0302'0202, 0x0303'0303});
  expect(Permute::ecr, {0x0000'0000, 0x0101'0100, 0x0202'0100, 0x0302'0100});
  expect(Permute::rc16, {0x0100'0100, 0x0302'0302, 0x0100'0100, 0x0302'0302});
}
