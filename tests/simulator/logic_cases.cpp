// 9.7.8 logic and shift, and prmt of 9.7.9.7.
#include "tests/simulator/form_case.h"

namespace attentune::simulator {

std::vector<FormCase> logic_cases() {
  return {
      {"and.b16", {0xFF0F, 0x3333}, 0x3303},
      {"or.b16", {0xF000, 0x3333}, 0xF333},
      {"xor.b16", {0xFF00, 0x3333}, 0xCC33},
      {"not.b16", {0xF0F0}, 0x0F0F},
      {"cnot.b16", {0}, 1},  // 9.7.8.5: whether it is zero
      {"cnot.b16", {7}, 0},
      {"and.b32", {0xFF00FF0F, 0x33333333}, 0x33003303},
      {"or.b32", {0xF0000000, 0x33333333}, 0xF3333333},
      {"xor.b32", {0xFF00FF00, 0x33333333}, 0xCC33CC33},
      {"not.b32", {0xF0F0F0F0}, 0x0F0F0F0F},
      {"cnot.b32", {0}, 1},
      {"cnot.b32", {0x80000000}, 0},
      {"and.b64", {0xFF00FF0F00000001, 0x3333333300000003}, 0x3300330300000001},
      {"or.b64", {0xF000000000000000, 0x3333333300000000}, 0xF333333300000000},
      {"xor.b64", {0xFF00FF0000000000, 0x3333333300000000}, 0xCC33CC3300000000},
      {"not.b64", {0xF0F0F0F000000000}, 0x0F0F0F0FFFFFFFFF},
      {"cnot.b64", {0}, 1},
      {"cnot.b64", {0x8000000000000000}, 0},
      {"and.pred", {1, 0}, 0},
      {"and.pred", {1, 1}, 1},
      {"or.pred", {1, 0}, 1},
      {"or.pred", {0, 0}, 0},
      {"xor.pred", {1, 1}, 0},
      {"xor.pred", {0, 1}, 1},
      {"not.pred", {1}, 0},
      {"not.pred", {0}, 1},

      // 9.7.8.8 and .9: amounts from the width on shift out every bit.
      {"shl.b16", {0x8001, 1}, 2},
      {"shl.b16", {0x8001, 16}, 0},
      {"shl.b32", {0x80000001, 1}, 2},
      {"shl.b32", {1, 32}, 0},
      {"shl.b64", {0x8000000000000001, 33}, 0x200000000},
      {"shl.b64", {1, 64}, 0},
      {"shr.b16", {0x8000, 15}, 1},
      {"shr.u16", {0x8000, 16}, 0},
      {"shr.s16", {0x8000, 3}, 0xF000},
      {"shr.b32", {0x80000000, 31}, 1},
      {"shr.u32", {0x80000000, 32}, 0},
      {"shr.s32", {0x80000000, 99}, 0xFFFFFFFF},
      {"shr.b64", {0x8000000000000000, 63}, 1},
      {"shr.u64", {0x8000000000000000, 64}, 0},
      {"shr.s64", {0x8000000000000000, 3}, 0xF000000000000000},

      // 9.7.8.6: the table is the function's value for a = 0xF0, b = 0xCC, c = 0xAA.
      {"lop3.b32", {0xF0F0, 0xFF00, 0xAAAA, 0xF0 & (0xCC | 0xAA)}, 0xF0F0 & (0xFF00 | 0xAAAA)},
      {"lop3.b32", {0xF0F0, 0xFF00, 0xAAAA, 0xF0 ^ 0xCC ^ 0xAA}, 0xF0F0 ^ 0xFF00 ^ 0xAAAA},
      // 9.7.8.7: of b and a as 64 bits, the upper word after a shift to the left, the lower one after one to the right.
      {"shf.l.wrap.b32", {0x89ABCDEF, 0x01234567, 40}, 0x23456789},
      {"shf.l.clamp.b32", {0x89ABCDEF, 0x01234567, 40}, 0x89ABCDEF},
      {"shf.r.wrap.b32", {0x89ABCDEF, 0x01234567, 40}, 0x6789ABCD},
      {"shf.r.clamp.b32", {0x89ABCDEF, 0x01234567, 40}, 0x01234567},

      // 9.7.9.7: a nibble of c names one of the bytes 7..0 of b and a, bit 3 its sign alone; or c & 3 picks a pattern.
      {"prmt.b32", {0x33221100, 0x77665584, 0x7531}, 0x77553311},
      {"prmt.b32", {0x33221100, 0x77665584, 0xC840}, 0xFF008400},
      {"prmt.b32.f4e", {0x33221100, 0x77665544, 1}, 0x44332211},
      {"prmt.b32.b4e", {0x33221100, 0x77665544, 1}, 0x66770011},
      {"prmt.b32.rc8", {0x33221100, 0x77665544, 1}, 0x11111111},
      {"prmt.b32.ecl", {0x33221100, 0x77665544, 1}, 0x33221111},
      {"prmt.b32.ecr", {0x33221100, 0x77665544, 1}, 0x11111100},
      {"prmt.b32.rc16", {0x33221100, 0x77665544, 1}, 0x33223322},
  };
}

}  // namespace attentune::simulator
