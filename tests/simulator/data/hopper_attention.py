#!/usr/bin/env python3
"""Writes hopper_attention_{64,128,256}.cu, small attention kernels for sm_90a, and their .ptx with nvcc -ptx.

One producer warpgroup feeds two consumer warpgroups through TMA and mbarriers; no mask, no ragged ends: len_q is a
multiple of 128, len_kv of the key tile. They exercise the simulator, not performance."""
import os
import subprocess

HERE = os.path.dirname(os.path.abspath(__file__))


def product(name, n, a_in_registers, b_transposed):
    """One wgmma m64nNk16 of bf16; accumulate == 0 ignores what the accumulators held."""
    count = n // 2
    accumulators = ", ".join(f"%{i}" for i in range(count))
    operand = "{%s}" % ", ".join(f"%{count + i}" for i in range(4)) if a_in_registers else f"%{count}"
    after = count + (4 if a_in_registers else 1)
    tail = f", {b_transposed}" if a_in_registers else f", 0, {b_transposed}"
    a_parameter = "const u32 (&a)[4]" if a_in_registers else "u64 a"
    a_inputs = ", ".join(f'"r"(a[{i}])' for i in range(4)) if a_in_registers else '"l"(a)'
    return f"""INLINE void {name}(float (&d)[{count}], {a_parameter}, u64 b, int accumulate) {{
  asm volatile(
      "{{.reg .pred p; setp.ne.b32 p, %{after + 1}, 0;\\n\\t"
      "wgmma.mma_async.sync.aligned.m64n{n}k16.f32.bf16.bf16 {{{accumulators}}}, {operand}, %{after}, p, 1, 1{tail};}}"
      : {", ".join(f'"+f"(d[{i}])' for i in range(count))}
      : {a_inputs}, "l"(b), "r"(accumulate));
}}
"""


def kernel(head_dim, tile_n):
    return f"""// Written by hopper_attention.py.
typedef unsigned u32;
typedef unsigned long long u64;
#define INLINE static __device__ __forceinline__
enum : int {{ HEAD_DIM = {head_dim}, TILE_N = {tile_n}, STAGES = 2, TILE_M = 128, SLABS = HEAD_DIM / 64 }};
enum : int {{ Q_BYTES = TILE_M * HEAD_DIM * 2, KV_BYTES = TILE_N * HEAD_DIM * 2 }};

""" + product("product_qk", tile_n, False, 0) + product("product_pv", head_dim, True, 1) + r"""
struct alignas(128) TensorMap { unsigned char bytes[128]; };

INLINE u32 shared_address(const void* p) { return (u32)__cvta_generic_to_shared(p); }
INLINE void init(u32 barrier, u32 count) {
  asm volatile("mbarrier.init.shared::cta.b64 [%0], %1;" ::"r"(barrier), "r"(count) : "memory");
}
INLINE void expect(u32 barrier, u32 bytes) {
  asm volatile("mbarrier.arrive.expect_tx.shared::cta.b64 _, [%0], %1;" ::"r"(barrier), "r"(bytes) : "memory");
}
INLINE void arrive(u32 barrier) { asm volatile("mbarrier.arrive.shared::cta.b64 _, [%0];" ::"r"(barrier) : "memory"); }
INLINE void wait(u32 barrier, u32 parity) {
  asm volatile("{.reg .pred p; W%=: mbarrier.try_wait.parity.shared::cta.b64 p, [%0], %1; @!p bra W%=; }" ::"r"(barrier),
               "r"(parity)
               : "memory");
}
INLINE u64 descriptor(u32 address, u32 leading, u32 stride) {
  return (u64)((address & 0x3FFFF) >> 4) | (u64)(leading >> 4) << 16 | (u64)(stride >> 4) << 32 | 1ull << 62;
}
INLINE float exp2_approx(float x) {
  float y;
  asm("ex2.approx.ftz.f32 %0, %1;" : "=f"(y) : "f"(x));
  return y;
}
INLINE u32 pack(float low, float high) {
  u32 r;
  asm("cvt.rn.bf16x2.f32 %0, %1, %2;" : "=r"(r) : "f"(high), "f"(low));
  return r;
}
INLINE void begin_products() { asm volatile("wgmma.fence.sync.aligned;" ::: "memory"); }
INLINE void finish_products() {
  asm volatile("wgmma.commit_group.sync.aligned;" ::: "memory");
  asm volatile("wgmma.wait_group.sync.aligned 0;" ::: "memory");
}
INLINE void load(u32 to, const TensorMap* map, u32 barrier, int c0, int c1, int c2, int c3) {
  asm volatile(
      "cp.async.bulk.tensor.4d.shared::cluster.global.tile.mbarrier::complete_tx::bytes "
      "[%0], [%1, {%3, %4, %5, %6}], [%2];" ::"r"(to),
      "l"(map), "r"(barrier), "r"(c0), "r"(c1), "r"(c2), "r"(c3)
      : "memory");
}

extern "C" __global__ void __launch_bounds__(384, 1)
    attention(const __grid_constant__ TensorMap q_map, const __grid_constant__ TensorMap k_map,
              const __grid_constant__ TensorMap v_map, float* __restrict__ out, int tiles, float scale) {
  extern __shared__ __align__(1024) unsigned char memory[];
  u32 q = shared_address(memory), k = q + Q_BYTES, v = k + STAGES * KV_BYTES;
  u32 q_full = v + STAGES * KV_BYTES, k_full = q_full + 8, v_full = k_full + 8 * STAGES, empty = v_full + 8 * STAGES;
  int warpgroup = threadIdx.x / 128, thread = threadIdx.x % 128;
  if (threadIdx.x == 0) {
    init(q_full, 1);
    for (int s = 0; s < STAGES; s++) {
      init(k_full + 8 * s, 1);
      init(v_full + 8 * s, 1);
      init(empty + 8 * s, 256);
    }
    asm volatile("fence.mbarrier_init.release.cluster;" ::: "memory");
  }
  __syncthreads();
  if (warpgroup == 0) {
    asm volatile("setmaxnreg.dec.sync.aligned.u32 24;");
    if (thread == 0) {
      expect(q_full, Q_BYTES);
      for (int s = 0; s < SLABS; s++)
        load(q + s * TILE_M * 128, &q_map, q_full, s * 64, blockIdx.x * TILE_M, blockIdx.y, blockIdx.z);
      for (int j = 0; j < tiles; j++) {
        int s = j % STAGES;
        wait(empty + 8 * s, (j / STAGES & 1) ^ 1);
        expect(k_full + 8 * s, KV_BYTES);
        for (int i = 0; i < SLABS; i++)
          load(k + s * KV_BYTES + i * TILE_N * 128, &k_map, k_full + 8 * s, i * 64, j * TILE_N, blockIdx.y, blockIdx.z);
        expect(v_full + 8 * s, KV_BYTES);
        for (int i = 0; i < SLABS; i++)
          load(v + s * KV_BYTES + i * TILE_N * 128, &v_map, v_full + 8 * s, i * 64, j * TILE_N, blockIdx.y, blockIdx.z);
      }
    }
    return;
  }
  asm volatile("setmaxnreg.inc.sync.aligned.u32 240;");
  int consumer = warpgroup - 1;
  float o[HEAD_DIM / 2], m0 = -1e30f, m1 = -1e30f, l0 = 0, l1 = 0;
#pragma unroll
  for (int i = 0; i < HEAD_DIM / 2; i++) o[i] = 0;
  wait(q_full, 0);
  for (int j = 0; j < tiles; j++) {
    int stage = j % STAGES;
    u32 parity = j / STAGES & 1;
    float s[TILE_N / 2];
    wait(k_full + 8 * stage, parity);
    begin_products();
#pragma unroll
    for (int c = 0; c < HEAD_DIM / 16; c++)
      product_qk(s, descriptor(q + c / 4 * TILE_M * 128 + consumer * 64 * 128 + c % 4 * 32, 16, 1024),
                 descriptor(k + stage * KV_BYTES + c / 4 * TILE_N * 128 + c % 4 * 32, 16, 1024), c > 0);
    finish_products();
    float a0 = m0, a1 = m1;
#pragma unroll
    for (int i = 0; i < TILE_N / 2; i++) {
      if (i & 2) a1 = fmaxf(a1, s[i]);
      else a0 = fmaxf(a0, s[i]);
    }
    a0 = fmaxf(a0, __shfl_xor_sync(~0u, a0, 1));
    a0 = fmaxf(a0, __shfl_xor_sync(~0u, a0, 2));
    a1 = fmaxf(a1, __shfl_xor_sync(~0u, a1, 1));
    a1 = fmaxf(a1, __shfl_xor_sync(~0u, a1, 2));
    float r0 = exp2_approx((m0 - a0) * scale), r1 = exp2_approx((m1 - a1) * scale);
    m0 = a0, m1 = a1, l0 *= r0, l1 *= r1;
    u32 p[TILE_N / 16][4];
#pragma unroll
    for (int i = 0; i < TILE_N / 2; i++) {
      float x = exp2_approx(fmaf(s[i], scale, -((i & 2) ? m1 : m0) * scale));
      s[i] = x;
      if (i & 2) l1 += x;
      else l0 += x;
    }
#pragma unroll
    for (int i = 0; i < TILE_N / 4; i++) p[i / 4][i % 4] = pack(s[2 * i], s[2 * i + 1]);
#pragma unroll
    for (int i = 0; i < HEAD_DIM / 2; i++) o[i] *= (i & 2) ? r1 : r0;
    wait(v_full + 8 * stage, parity);
    begin_products();
#pragma unroll
    for (int c = 0; c < TILE_N / 16; c++)
      product_pv(o, p[c], descriptor(v + stage * KV_BYTES + c * 16 * 128, TILE_N * 128, 1024), 1);
    finish_products();
    arrive(empty + 8 * stage);
  }
  l0 += __shfl_xor_sync(~0u, l0, 1);
  l0 += __shfl_xor_sync(~0u, l0, 2);
  l1 += __shfl_xor_sync(~0u, l1, 1);
  l1 += __shfl_xor_sync(~0u, l1, 2);
  float i0 = 1 / l0, i1 = 1 / l1;
  u64 head = blockIdx.z * gridDim.y + blockIdx.y;
  u64 row = (head * gridDim.x + blockIdx.x) * TILE_M + consumer * 64 + thread / 32 * 16 + thread % 32 / 4;
#pragma unroll
  for (int i = 0; i < HEAD_DIM / 2; i++)
    out[(row + (i & 2 ? 8 : 0)) * HEAD_DIM + i / 4 * 8 + (i & 1) + thread % 4 * 2] = o[i] * ((i & 2) ? i1 : i0);
}
"""


for head_dim, tile_n in ((64, 64), (128, 128), (256, 80)):
    stem = os.path.join(HERE, f"hopper_attention_{head_dim}")
    with open(stem + ".cu", "w", encoding="ascii") as file:
        file.write(kernel(head_dim, tile_n))
    subprocess.run(["nvcc", "-ptx", "-arch=sm_90a", "-o", stem + ".ptx", stem + ".cu"], check=True)
