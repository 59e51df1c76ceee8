// 9.7.1 integer arithmetic.
#include "tests/simulator/form_case.h"

namespace attentune::simulator {
namespace {

// The widths differ in where they wrap; operands are chosen at that place.
std::vector<FormCase> arithmetic_of_16_bits() {
  return {
      {"add.u16", {0xFFFF, 2}, 1},
      {"sub.u16", {1, 2}, 0xFFFF},
      {"mul.lo.u16", {0x1234, 0x100}, 0x3400},
      {"mul.hi.u16", {0x1234, 0x100}, 0x12},
      {"mul.wide.u16", {0xFFFF, 0xFFFF}, 0xFFFE0001},
      {"mad.lo.u16", {0x1234, 0x100, 5}, 0x3405},
      {"mad.hi.u16", {0x1234, 0x100, 5}, 0x17},
      {"mad.wide.u16", {0xFFFF, 0xFFFF, 0x20000}, 1},
      {"sad.u16", {3, 10, 0xFFFF}, 6},
      {"div.u16", {0xFFF9, 2}, 0x7FFC},
      {"rem.u16", {0xFFF9, 16}, 9},
      {"min.u16", {0xFFF9, 2}, 2},
      {"max.u16", {0xFFF9, 2}, 0xFFF9},
      {"add.s16", {0x7FFF, 1}, -0x8000},
      {"sub.s16", {-0x8000, 1}, 0x7FFF},
      {"mul.lo.s16", {-3, 0x4000}, 0x4000},
      {"mul.hi.s16", {-3, 0x4000}, -1},
      {"mul.wide.s16", {-3, 0x4000}, -49152},
      {"mad.lo.s16", {-3, 0x4000, -1}, 0x3FFF},
      {"mad.hi.s16", {-3, 0x4000, -1}, -2},
      {"mad.wide.s16", {-3, 0x4000, -1}, -49153},
      {"sad.s16", {-3, 10, 100}, 113},
      {"div.s16", {-7, 2}, -3},
      {"rem.s16", {-7, 2}, -1},
      {"min.s16", {-7, 2}, -7},
      {"max.s16", {-7, 2}, 2},
      {"abs.s16", {-7}, 7},
      {"neg.s16", {7}, -7},
      {"min.u16x2", {0x0001FFFF, 0xFFFF0002}, 0x00010002},
      {"max.u16x2", {0x0001FFFF, 0xFFFF0002}, 0xFFFFFFFF},
      {"min.s16x2", {0x0001FFFF, 0xFFFF0002}, 0xFFFFFFFF},
      {"max.s16x2", {0x0001FFFF, 0xFFFF0002}, 0x00010002},
      {"min.relu.s16x2", {0xFFFE0005, 0x00030004}, 0x00000004},
      {"max.relu.s16x2", {0xFFFE0005, 0xFFFF0004}, 0x00000005},
  };
}

std::vector<FormCase> arithmetic_of_32_bits() {
  return {
      {"add.u32", {0xFFFFFFFF, 2}, 1},
      {"sub.u32", {1, 2}, 0xFFFFFFFF},
      {"mul.lo.u32", {0x10000, 0x10001}, 0x10000},
      {"mul.hi.u32", {0x10000, 0x10001}, 1},
      {"mul.wide.u32", {0xFFFFFFFF, 0xFFFFFFFF}, 0xFFFFFFFE00000001},
      {"mad.lo.u32", {0x10000, 0x10001, 5}, 0x10005},
      {"mad.hi.u32", {0x10000, 0x10001, 5}, 6},
      {"mad.wide.u32", {0xFFFFFFFF, 0xFFFFFFFF, 0x200000000}, 1},
      {"sad.u32", {3, 10, 0xFFFFFFFF}, 6},
      {"div.u32", {0xFFFFFFF9, 2}, 0x7FFFFFFC},
      {"rem.u32", {0xFFFFFFF9, 16}, 9},
      {"min.u32", {0xFFFFFFF9, 2}, 2},
      {"max.u32", {0xFFFFFFF9, 2}, 0xFFFFFFF9},
      {"add.s32", {0x7FFFFFFF, 1}, 0x80000000},
      {"add.sat.s32", {0x7FFFFFFF, 1}, 0x7FFFFFFF},
      {"add.sat.s32", {5, -7}, -2},
      {"sub.s32", {0x80000000, 1}, 0x7FFFFFFF},
      {"sub.sat.s32", {0x80000000, 1}, 0x80000000},
      {"sub.sat.s32", {5, 7}, -2},
      {"mul.lo.s32", {-3, 0x40000000}, 0x40000000},
      {"mul.hi.s32", {-3, 0x40000000}, -1},
      {"mul.wide.s32", {-3, 0x40000000}, -0xC0000000LL},
      {"mad.lo.s32", {-3, 0x40000000, -1}, 0x3FFFFFFF},
      {"mad.hi.s32", {-3, 0x40000000, -1}, -2},
      {"mad.wide.s32", {-3, 0x40000000, -1}, -0xC0000001LL},
      {"sad.s32", {-3, 10, 100}, 113},
      {"div.s32", {-7, 2}, -3},
      {"rem.s32", {-7, 2}, -1},
      {"min.s32", {-7, 2}, -7},
      {"max.s32", {-7, 2}, 2},
      {"min.relu.s32", {-7, 2}, 0},
      {"min.relu.s32", {7, 2}, 2},
      {"max.relu.s32", {-7, -2}, 0},
      {"max.relu.s32", {-7, 3}, 3},
      {"abs.s32", {-7}, 7},
      {"neg.s32", {7}, -7},
      // 9.7.1.23: the sum of four products of bytes, and c: -1*5 + 2*-2 + 3*7 + 4*8 + 10; unsigned, 255*5 + 2*254 + ...
      {"dp4a.s32.s32", {0xFF020304, 0x05FE0708, 10}, 54},
      {"dp4a.u32.u32", {0xFF020304, 0x05FE0708, 10}, 1846},
  };
}

std::vector<FormCase> arithmetic_of_64_bits() {
  return {
      {"add.u64", {0xFFFFFFFFFFFFFFFF, 2}, 1},
      {"sub.u64", {1, 2}, 0xFFFFFFFFFFFFFFFF},
      {"mul.lo.u64", {0x100000000, 0x100000001}, 0x100000000},
      {"mul.hi.u64", {0x100000000, 0x100000001}, 1},
      {"mad.lo.u64", {0x100000000, 0x100000001, 5}, 0x100000005},
      {"mad.hi.u64", {0x100000000, 0x100000001, 5}, 6},
      {"sad.u64", {3, 10, 0xFFFFFFFFFFFFFFFF}, 6},
      {"div.u64", {0xFFFFFFFFFFFFFFF9, 2}, 0x7FFFFFFFFFFFFFFC},
      {"rem.u64", {0xFFFFFFFFFFFFFFF9, 16}, 9},
      {"min.u64", {0xFFFFFFFFFFFFFFF9, 2}, 2},
      {"max.u64", {0xFFFFFFFFFFFFFFF9, 2}, 0xFFFFFFFFFFFFFFF9},
      {"add.s64", {0x7FFFFFFFFFFFFFFF, 1}, 0x8000000000000000},
      {"sub.s64", {0x8000000000000000, 1}, 0x7FFFFFFFFFFFFFFF},
      {"mul.lo.s64", {-3, 0x4000000000000000}, 0x4000000000000000},
      {"mul.hi.s64", {-3, 0x4000000000000000}, -1},
      {"mad.lo.s64", {-3, 0x4000000000000000, -1}, 0x3FFFFFFFFFFFFFFF},
      {"mad.hi.s64", {-3, 0x4000000000000000, -1}, -2},
      {"sad.s64", {-3, 10, 100}, 113},
      {"div.s64", {-7, 2}, -3},
      {"rem.s64", {-7, 2}, -1},
      {"min.s64", {-7, 2}, -7},
      {"max.s64", {-7, 2}, 2},
      {"abs.s64", {-7}, 7},
      {"neg.s64", {7}, -7},
  };
}

std::vector<FormCase> bits() {
  return {
      {"popc.b32", {0xF0}, 4},
      {"popc.b64", {0xF0F0000000000001}, 9},
      {"clz.b32", {0xF0}, 24},
      {"clz.b32", {0}, 32},
      {"clz.b64", {0xF0}, 56},
      // 9.7.1.16: the highest bit unlike the sign; shiftamt: how far left it is to shift to the top; none: all ones.
      {"bfind.u32", {0xF0}, 7},
      {"bfind.u32", {0}, 0xFFFFFFFF},
      {"bfind.shiftamt.u32", {0xF0}, 24},
      {"bfind.s32", {-256}, 7},
      {"bfind.s32", {-1}, 0xFFFFFFFF},
      {"bfind.shiftamt.s32", {-256}, 24},
      {"bfind.u64", {0xF000000000}, 39},
      {"bfind.shiftamt.u64", {0xF000000000}, 24},
      {"bfind.s64", {-256}, 7},
      {"bfind.shiftamt.s64", {-256}, 56},
      {"brev.b32", {0x12345678}, 0x1E6A2C48},
      {"brev.b64", {0x12345678}, 0x1E6A2C4800000000},
      {"bfe.u32", {0xABCD, 4, 8}, 0xBC},
      {"bfe.s32", {0xABCD, 4, 8}, 0xFFFFFFBC},
      {"bfe.u64", {0xABCD00000000, 36, 8}, 0xBC},
      {"bfe.s64", {0xABCD00000000, 36, 8}, 0xFFFFFFFFFFFFFFBC},
      {"bfi.b32", {0xF, 0, 8, 4}, 0xF00},
      {"bfi.b64", {0xF, 0x3, 40, 4}, 0xF0000000003},
  };
}

}  // namespace

std::vector<FormCase> integer_cases() {
  std::vector<FormCase> cases = arithmetic_of_16_bits();
  for (const auto& more : {arithmetic_of_32_bits(), arithmetic_of_64_bits(), bits()})
    cases.insert(cases.end(), more.begin(), more.end());
  return cases;
}

}  // namespace attentune::simulator
