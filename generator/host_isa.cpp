#include "generator/host_isa.h"

namespace attentune {
namespace {

// VREDUCEPS with imm8 = 9: x minus x rounded down, no precision exception (Intel SDM vol. 2).
constexpr std::string_view scale_text = R"(
declare <16 x float> @llvm.x86.avx512.mask.reduce.ps.512(<16 x float>, i32, <16 x float>, i16, i32)
declare <16 x float> @llvm.x86.avx512.mask.scalef.ps.512(<16 x float>, <16 x float>, <16 x float>, i16, i32)
define internal void @attentune_fraction(ptr %x) alwaysinline nounwind {
  %v = load <16 x float>, ptr %x, align 64
  %f = call <16 x float> @llvm.x86.avx512.mask.reduce.ps.512(<16 x float> %v, i32 9, <16 x float> zeroinitializer, i16 -1, i32 4)
  store <16 x float> %f, ptr %x, align 64
  ret void
}
define internal void @attentune_scale(ptr %p, ptr %x) alwaysinline nounwind {
  %v = load <16 x float>, ptr %p, align 64
  %e = load <16 x float>, ptr %x, align 64
  %s = call <16 x float> @llvm.x86.avx512.mask.scalef.ps.512(<16 x float> %v, <16 x float> %e, <16 x float> zeroinitializer, i16 -1, i32 4)
  store <16 x float> %s, ptr %p, align 64
  ret void
}
)";

constexpr std::string_view dot_text = R"(
declare <16 x float> @llvm.x86.avx512bf16.dpbf16ps.512(<16 x float>, <32 x bfloat>, <32 x bfloat>)
define internal void @attentune_dot_bf16(ptr %sum, ptr %a, ptr %b) alwaysinline nounwind {
  %s = load <16 x float>, ptr %sum, align 64
  %x = load <16 x float>, ptr %a, align 64
  %y = load <16 x float>, ptr %b, align 64
  %p = bitcast <16 x float> %x to <32 x bfloat>
  %q = bitcast <16 x float> %y to <32 x bfloat>
  %r = call <16 x float> @llvm.x86.avx512bf16.dpbf16ps.512(<16 x float> %s, <32 x bfloat> %p, <32 x bfloat> %q)
  store <16 x float> %r, ptr %sum, align 64
  ret void
}
)";

// Tiles 0 1 / 2 3 are the 2 x 2 sums, 4 and 5 rows of A, 6 and 7 columns of B. 16 rows lie 16 strides apart, 16 columns
// 64 bytes.
constexpr std::string_view tile_text = R"(
declare void @llvm.x86.ldtilecfg(ptr)
declare void @llvm.x86.tilerelease()
declare void @llvm.x86.tilezero(i8 immarg)
declare void @llvm.x86.tileloadd64(i8 immarg, ptr, i64)
declare void @llvm.x86.tilestored64(i8 immarg, ptr, i64)
declare void @llvm.x86.tdpbf16ps(i8 immarg, i8 immarg, i8 immarg)
define internal void @attentune_tile_begin(ptr %config) alwaysinline nounwind {
  call void @llvm.x86.ldtilecfg(ptr %config)
  ret void
}
define internal void @attentune_tile_end() alwaysinline nounwind {
  call void @llvm.x86.tilerelease()
  ret void
}
define internal void @attentune_tile_zero() alwaysinline nounwind {
  call void @llvm.x86.tilezero(i8 0)
  call void @llvm.x86.tilezero(i8 1)
  call void @llvm.x86.tilezero(i8 2)
  call void @llvm.x86.tilezero(i8 3)
  ret void
}
define internal void @attentune_tile_load(ptr %c, i64 %stride) alwaysinline nounwind {
  %down = shl i64 %stride, 4
  %c1 = getelementptr i8, ptr %c, i64 64
  %c2 = getelementptr i8, ptr %c, i64 %down
  %c3 = getelementptr i8, ptr %c2, i64 64
  call void @llvm.x86.tileloadd64(i8 0, ptr %c, i64 %stride)
  call void @llvm.x86.tileloadd64(i8 1, ptr %c1, i64 %stride)
  call void @llvm.x86.tileloadd64(i8 2, ptr %c2, i64 %stride)
  call void @llvm.x86.tileloadd64(i8 3, ptr %c3, i64 %stride)
  ret void
}
define internal void @attentune_tile_store(ptr %c, i64 %stride) alwaysinline nounwind {
  %down = shl i64 %stride, 4
  %c1 = getelementptr i8, ptr %c, i64 64
  %c2 = getelementptr i8, ptr %c, i64 %down
  %c3 = getelementptr i8, ptr %c2, i64 64
  call void @llvm.x86.tilestored64(i8 0, ptr %c, i64 %stride)
  call void @llvm.x86.tilestored64(i8 1, ptr %c1, i64 %stride)
  call void @llvm.x86.tilestored64(i8 2, ptr %c2, i64 %stride)
  call void @llvm.x86.tilestored64(i8 3, ptr %c3, i64 %stride)
  ret void
}
define internal void @attentune_tile_step(ptr %a, i64 %a_stride, ptr %b, i64 %b_stride) alwaysinline nounwind {
  %down = shl i64 %a_stride, 4
  %a1 = getelementptr i8, ptr %a, i64 %down
  %b1 = getelementptr i8, ptr %b, i64 64
  call void @llvm.x86.tileloadd64(i8 4, ptr %a, i64 %a_stride)
  call void @llvm.x86.tileloadd64(i8 6, ptr %b, i64 %b_stride)
  call void @llvm.x86.tdpbf16ps(i8 0, i8 4, i8 6)
  call void @llvm.x86.tileloadd64(i8 7, ptr %b1, i64 %b_stride)
  call void @llvm.x86.tdpbf16ps(i8 1, i8 4, i8 7)
  call void @llvm.x86.tileloadd64(i8 5, ptr %a1, i64 %a_stride)
  call void @llvm.x86.tdpbf16ps(i8 2, i8 5, i8 6)
  call void @llvm.x86.tdpbf16ps(i8 3, i8 5, i8 7)
  ret void
}
)";

}  // namespace

bool scales_exponents(const Arch& arch, int vector_bits) noexcept {
  return arch.machine == "x86_64" && vector_bits == 512 && arch.has("avx512dq");
}

bool multiplies_bf16_pairs(const Arch& arch, int vector_bits) noexcept {
  return arch.machine == "x86_64" && vector_bits == 512 && arch.has("avx512bf16");
}

bool multiplies_bf16_tiles(const Arch& arch, int vector_bits) noexcept {
  return multiplies_bf16_pairs(arch, vector_bits) && arch.has("amx-tile") && arch.has("amx-bf16");
}

std::string isa_ir(const Arch& arch, int vector_bits) {
  std::string text;
  if (scales_exponents(arch, vector_bits))
    text += scale_text;
  if (multiplies_bf16_pairs(arch, vector_bits))
    text += dot_text;
  if (multiplies_bf16_tiles(arch, vector_bits))
    text += tile_text;
  return text;
}

}  // namespace attentune
