// cvt as kernels run it: types, roundings and modifiers (PTX ISA 9.0, section 9.7.9.21), with values worked out by
// hand. The functions behind it are tested in numerics_convert_test.cpp.
#include <doctest/doctest.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "tests/simulator/form_case.h"

using namespace attentune::simulator;

namespace {

// The register of a type: of 16 bits at least (9.4.1), which is also what a pair of fp8 takes.
int register_bits(std::string_view type) {
  const bool is_pair = type.ends_with("x2");
  if (type.starts_with("e4m3") || type.starts_with("e5m2"))
    return 16;
  if (type.starts_with("tf32"))
    return 32;
  const int bits = std::stoi(std::string(type.substr(type.find_first_of("123468"))));
  return std::max(is_pair ? 2 * bits : bits, 16);
}

RegisterBits bits_of(std::string_view opcode, std::size_t sources) {
  const std::size_t from = opcode.rfind('.');
  const std::size_t to = opcode.rfind('.', from - 1);
  return {.output = register_bits(opcode.substr(to + 1, from - to - 1)),
          .inputs = std::vector<int>(sources, register_bits(opcode.substr(from + 1)))};
}

void check(const std::vector<FormCase>& cases) {
  for (const FormCase& one : cases) {
    CAPTURE(one.opcode);
    const RegisterBits bits = bits_of(one.opcode, one.inputs.size());
    CHECK(executed(one.opcode, bits, one.inputs) == low_bits(one.result.bits, bits.output));
  }
}

constexpr int some_nan = 0x7FC00000;

}  // namespace

TEST_CASE("9.7.9.21 cvt between floats: one rounding each") {
  check({
      // Three quarters of the way from 1 to its neighbour.
      {"cvt.rn.f16.f32", {1 + 0x1.8p-11F}, 0x3C01},
      {"cvt.rz.f16.f32", {1 + 0x1.8p-11F}, 0x3C00},
      {"cvt.rm.f16.f32", {-1 - 0x1.8p-11F}, 0xBC01},
      {"cvt.rp.f16.f32", {1 + 0x1p-20F}, 0x3C01},
      {"cvt.rn.bf16.f32", {1 + 0x1.8p-8F}, 0x3F81},
      {"cvt.rz.bf16.f32", {1 + 0x1.8p-8F}, 0x3F80},
      {"cvt.rna.tf32.f32", {1 + 0x1p-11F}, 1 + 0x1p-10F},  // a tie goes away from zero
      {"cvt.rn.f32.f64", {1 + 0x1.8p-24}, 0x1.000002p0F},
      {"cvt.rm.f32.f64", {1 + 0x1.8p-24}, 1.0F},
      {"cvt.f32.f16", {0x3E00}, 1.5F},
      {"cvt.f32.bf16", {0x3FC0}, 1.5F},
      {"cvt.f64.f32", {-1.5F}, -1.5},
      {"cvt.f64.f16", {0x3E00}, 1.5},
      {"cvt.rn.f16.f64", {1.5}, 0x3E00},
      {"cvt.rn.relu.f16.f32", {-1.5F}, 0},
      {"cvt.rn.relu.bf16.f32", {-1.5F}, 0},
      {"cvt.rn.sat.f16.f32", {-1.5F}, 0},
      {"cvt.sat.f32.f32", {1.5F}, 1.0F},
      {"cvt.ftz.f32.f32", {0x1p-130F}, 0.0F},
      {"cvt.rni.f32.f32", {2.5F}, 2.0F},
      {"cvt.rzi.f32.f32", {-2.7F}, -2.0F},
      {"cvt.rmi.f32.f32", {-2.2F}, -3.0F},
      {"cvt.rpi.f32.f32", {2.2F}, 3.0F},
  });
}

TEST_CASE("9.7.9.21 cvt of pairs: the first source is the high half") {
  check({
      {"cvt.rn.f16x2.f32", {1.0F, 2.0F}, 0x3C004000},
      {"cvt.rz.f16x2.f32", {1 + 0x1.8p-11F, 2.0F}, 0x3C004000},
      {"cvt.rn.relu.f16x2.f32", {-1.0F, 2.0F}, 0x00004000},
      {"cvt.rn.bf16x2.f32", {1.0F, 2.0F}, 0x3F804000},
      {"cvt.rz.bf16x2.f32", {2.0F, 1 + 0x1.8p-8F}, 0x40003F80},
      {"cvt.rn.relu.bf16x2.f32", {1.0F, -2.0F}, 0x3F800000},
      // The largest e4m3 is 448 = 0x7E, the largest e5m2 57344 = 0x7B; 1.5 is 0x3C and 0x3E.
      {"cvt.rn.satfinite.e4m3x2.f32", {1000.0F, 1.5F}, 0x7E3C},
      {"cvt.rn.satfinite.e5m2x2.f32", {1.5F, -1e6F}, 0x3EFB},
      {"cvt.rn.satfinite.relu.e4m3x2.f32", {-1.0F, 1.5F}, 0x003C},
      {"cvt.rn.satfinite.e4m3x2.f16x2", {0x5F003E00}, 0x7E3C},
      {"cvt.rn.satfinite.e5m2x2.f16x2", {0x7B003E00}, 0x7B3E},
      {"cvt.rn.f16x2.e4m3x2", {0x7E3C}, 0x5F003E00},
      {"cvt.rn.f16x2.e5m2x2", {0x7B3E}, 0x7B003E00},
      {"cvt.rn.relu.f16x2.e4m3x2", {0xBC3C}, 0x00003E00},
  });
}

TEST_CASE("9.7.9.21 cvt to integers clamps and takes NaN for 0; from integers it rounds") {
  check({
      {"cvt.rni.s32.f32", {2.5F}, 2},
      {"cvt.rzi.s32.f32", {-2.7F}, -2},
      {"cvt.rmi.s32.f32", {-2.2F}, -3},
      {"cvt.rpi.s32.f32", {2.2F}, 3},
      {"cvt.rzi.s32.f32", {3e9F}, 0x7FFFFFFF},
      {"cvt.rzi.s32.f32", {some_nan}, 0},
      {"cvt.rzi.u32.f32", {-1.0F}, 0},
      {"cvt.rzi.u32.f32", {3e9F}, 3'000'000'000U},
      {"cvt.rzi.ftz.u32.f32", {1.5F}, 1},
      {"cvt.rzi.u64.f32", {0x1p40F}, std::uint64_t{1} << 40},
      {"cvt.rzi.s64.f64", {-0x1p40}, -(std::int64_t{1} << 40)},
      {"cvt.rzi.s16.f16", {0xC100}, -2},  // -2.5
      {"cvt.rn.f32.s32", {-3}, -3.0F},
      {"cvt.rn.f32.u32", {0xFFFFFFFF}, 0x1p32F},
      {"cvt.rz.f32.u32", {0xFFFFFFFF}, 0x1.fffffep31F},
      {"cvt.rp.f32.s32", {0x01000001}, 0x1.000002p24F},
      {"cvt.rn.f32.u64", {std::uint64_t{1} << 40}, 0x1p40F},
      {"cvt.rn.f16.s32", {-3}, 0xC200},
      {"cvt.rn.f16.u16", {3}, 0x4200},
      {"cvt.rn.f64.s32", {-3}, -3.0},
      {"cvt.rn.f64.u64", {std::uint64_t{1} << 40}, 0x1p40},
  });
}

TEST_CASE("9.7.9.21 cvt between integers extends, cuts off, and saturates where it is told to") {
  check({
      {"cvt.u64.u32", {0xFFFFFFFD}, 0xFFFFFFFD},
      {"cvt.s64.s32", {-3}, -3},
      {"cvt.s32.s8", {0x1FF}, -1},
      {"cvt.u32.u8", {0x1FF}, 0xFF},
      {"cvt.s32.s16", {0x8000}, -0x8000},
      {"cvt.u32.u64", {0x1122334455667788}, 0x55667788},
      {"cvt.u16.u32", {0x12345}, 0x2345},
      {"cvt.sat.u8.s32", {300}, 255},
      {"cvt.sat.u8.s32", {-300}, 0},
      {"cvt.sat.s8.s32", {-300}, -128},
      {"cvt.sat.s32.u32", {0xFFFFFFFF}, 0x7FFFFFFF},
      {"cvt.sat.u32.s64", {-1}, 0},
  });
}
