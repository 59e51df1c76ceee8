// forward_host: attention forward on host CPUs (templates/host/forward.c).
//
// A task is a row tile of one KV head (packed GQA: the heads of a group are rows that share K and V). It walks the key
// tiles with the online softmax; S and P of one tile, O, m and l stay in the worker's scratch, so extra memory depends
// on tiles, never on seq^2. How big everything is, and why:
//
//   micro-kernel   One core multiplies and adds 2 vectors a cycle at a latency of 4 cycles: at least 8 sums in flight.
//                  A step of r x v vectors makes r v products out of r + v loads, and 2 loads a cycle are all there
//                  is: r v >= r + v, with the sums, one row of B and a broadcast in the registers: r v + v + 1 <= 32.
//                  6x4 of zmm takes 29 registers and 10 loads for 24 products (12 cycles; the loads fill 5). With 16
//                  ymm: 6x1 vectors of 16 = 6x2 ymm; NEON: 6x1 = 6x4 of 32.
//   panel          A panel of K is d x 64 keys, of V 64 columns x tile_n keys: 32 KiB at 128, two thirds of a 48 KiB
//                  first-level cache; rows of A and C stream past it. All rows of the tile use it before the next.
//   tile_m         A panel is fetched once per row tile: at 192 rows 32 KiB per 192 * 64 * 128 / 32 = 49152 cycles of
//                  products, 0.7 bytes a cycle from the farther caches, which prefetching hides. More rows gain nothing
//                  and make masks' edges coarser (a causal mask computes tile_m / 2 + tile_n / 2 keys a row too many;
//                  row groups that see nothing of a tile are left out). AMX multiplies faster: 256.
//   tile_n         S is tile_m x tile_n floats: 96 KiB at 192 x 128, with Q and O 300 KiB of the second-level cache. A
//                  longer tile amortizes the scaling of O and the horizontal maxima, a shorter one leaves more cache.
//   softmax        A score costs 10 vector instructions a 16 where exponents are scaled by hardware (max, subtract,
//                  vreduceps, 5 FMA, vscalefps, add), 16 elsewhere: 0.31 of the 8 cycles its products take at d 128,
//                  of 4 at d 64; that, packing and the edges of micro-kernels are what is missing to the ceiling.
//   pack=whole     Packing K and V once per call instead of once per row tile: a launch before. 16 keys by 16 steps are
//                  transposed in registers.
//   bf16           Pairs of d (K) or of keys (V) share a step of 4 bytes, so vdpbf16ps and AMX read the same panels.
//                  AMX: 32 x 32 sums in four tiles, a tdpbf16ps of 8192 products every 16 cycles: 512 a cycle where two
//                  FMAs make 32, which leaves the softmax as the larger half. Linux gives tile registers on request
//                  only; host_arch() asks, a program that runs an exported kernel with product=tile asks itself
//                  (arch_prctl ARCH_REQ_XCOMP_PERM).
//   f32, f16       on AMX: sums of bf16 terms (templates/host/terms.h), three for f32, two for f16. Six products of
//                  terms make one of f32: 512 / 6 = 85 a cycle, 2.7 times the FMAs' 32; f16 takes four for S and three
//                  for O. The clock falls under them (3.4 GHz for FMAs, 3.0 for tiles from registers, 2.6 with their
//                  loads, in whatever order), and 32 x 32 sums cost 200 cycles beside 64 a step: 1.4 times the FMA
//                  ceiling is what is left at d 128. Packing writes 6 bytes an element, so it pays from about 32 rows
//                  on (host_cost.cpp decides).
//   pack=none      A decode reads K and V once for a handful of rows: packing would write as much as is read. They are
//                  converted in registers; bf16 by a shift and a mask. One task takes all KV heads tile by tile,
//                  because their rows lie side by side: head by head, each page and DRAM row would be opened once a
//                  head (35 % of the speed of a sweep instead of 80 %). Short key tiles (32) ask for the rows to come
//                  while those at hand are used.
//   split          Parts of the keys as separate tasks, put together by a launch after in the order of the keys; worth
//                  it where batch alone does not occupy the workers.
#pragma once

#include "generator/kernel_family.h"

namespace attentune {

class ForwardHost final : public KernelFamily {
 public:
  [[nodiscard]] std::string_view name() const override { return "forward_host"; }
  [[nodiscard]] std::optional<Refusal> refusal(const Problem& problem, const Arch& arch) const override;
  [[nodiscard]] ConfigSpace space(const Problem& problem, const Arch& arch) const override;
  [[nodiscard]] Config default_config(const Problem& problem, const Arch& arch) const override;
  [[nodiscard]] Resources resources(const Problem& problem, const Arch& arch, const Config& config) const override;
  [[nodiscard]] Config relaunched(const Problem& problem, const Arch& arch, const Config& config) const override;
  [[nodiscard]] Source render(const Problem& problem, const Arch& arch, const Config& config) const override;
};

}  // namespace attentune
