// Written by hopper_attention.py.
typedef unsigned u32;
typedef unsigned long long u64;
#define INLINE static __device__ __forceinline__
enum : int { HEAD_DIM = 256, TILE_N = 80, STAGES = 2, TILE_M = 128, SLABS = HEAD_DIM / 64 };
enum : int { Q_BYTES = TILE_M * HEAD_DIM * 2, KV_BYTES = TILE_N * HEAD_DIM * 2 };

INLINE void product_qk(float (&d)[40], u64 a, u64 b, int accumulate) {
  asm volatile(
      "{.reg .pred p; setp.ne.b32 p, %42, 0;\n\t"
      "wgmma.mma_async.sync.aligned.m64n80k16.f32.bf16.bf16 {%0, %1, %2, %3, %4, %5, %6, %7, %8, %9, %10, %11, %12, %13, %14, %15, %16, %17, %18, %19, %20, %21, %22, %23, %24, %25, %26, %27, %28, %29, %30, %31, %32, %33, %34, %35, %36, %37, %38, %39}, %40, %41, p, 1, 1, 0, 0;}"
      : "+f"(d[0]), "+f"(d[1]), "+f"(d[2]), "+f"(d[3]), "+f"(d[4]), "+f"(d[5]), "+f"(d[6]), "+f"(d[7]), "+f"(d[8]), "+f"(d[9]), "+f"(d[10]), "+f"(d[11]), "+f"(d[12]), "+f"(d[13]), "+f"(d[14]), "+f"(d[15]), "+f"(d[16]), "+f"(d[17]), "+f"(d[18]), "+f"(d[19]), "+f"(d[20]), "+f"(d[21]), "+f"(d[22]), "+f"(d[23]), "+f"(d[24]), "+f"(d[25]), "+f"(d[26]), "+f"(d[27]), "+f"(d[28]), "+f"(d[29]), "+f"(d[30]), "+f"(d[31]), "+f"(d[32]), "+f"(d[33]), "+f"(d[34]), "+f"(d[35]), "+f"(d[36]), "+f"(d[37]), "+f"(d[38]), "+f"(d[39])
      : "l"(a), "l"(b), "r"(accumulate));
}
INLINE void product_pv(float (&d)[128], const u32 (&a)[4], u64 b, int accumulate) {
  asm volatile(
      "{.reg .pred p; setp.ne.b32 p, %133, 0;\n\t"
      "wgmma.mma_async.sync.aligned.m64n256k16.f32.bf16.bf16 {%0, %1, %2, %3, %4, %5, %6, %7, %8, %9, %10, %11, %12, %13, %14, %15, %16, %17, %18, %19, %20, %21, %22, %23, %24, %25, %26, %27, %28, %29, %30, %31, %32, %33, %34, %35, %36, %37, %38, %39, %40, %41, %42, %43, %44, %45, %46, %47, %48, %49, %50, %51, %52, %53, %54, %55, %56, %57, %58, %59, %60, %61, %62, %63, %64, %65, %66, %67, %68, %69, %70, %71, %72, %73, %74, %75, %76, %77, %78, %79, %80, %81, %82, %83, %84, %85, %86, %87, %88, %89, %90, %91, %92, %93, %94, %95, %96, %97, %98, %99, %100, %101, %102, %103, %104, %105, %106, %107, %108, %109, %110, %111, %112, %113, %114, %115, %116, %117, %118, %119, %120, %121, %122, %123, %124, %125, %126, %127}, {%128, %129, %130, %131}, %132, p, 1, 1, 1;}"
      : "+f"(d[0]), "+f"(d[1]), "+f"(d[2]), "+f"(d[3]), "+f"(d[4]), "+f"(d[5]), "+f"(d[6]), "+f"(d[7]), "+f"(d[8]), "+f"(d[9]), "+f"(d[10]), "+f"(d[11]), "+f"(d[12]), "+f"(d[13]), "+f"(d[14]), "+f"(d[15]), "+f"(d[16]), "+f"(d[17]), "+f"(d[18]), "+f"(d[19]), "+f"(d[20]), "+f"(d[21]), "+f"(d[22]), "+f"(d[23]), "+f"(d[24]), "+f"(d[25]), "+f"(d[26]), "+f"(d[27]), "+f"(d[28]), "+f"(d[29]), "+f"(d[30]), "+f"(d[31]), "+f"(d[32]), "+f"(d[33]), "+f"(d[34]), "+f"(d[35]), "+f"(d[36]), "+f"(d[37]), "+f"(d[38]), "+f"(d[39]), "+f"(d[40]), "+f"(d[41]), "+f"(d[42]), "+f"(d[43]), "+f"(d[44]), "+f"(d[45]), "+f"(d[46]), "+f"(d[47]), "+f"(d[48]), "+f"(d[49]), "+f"(d[50]), "+f"(d[51]), "+f"(d[52]), "+f"(d[53]), "+f"(d[54]), "+f"(d[55]), "+f"(d[56]), "+f"(d[57]), "+f"(d[58]), "+f"(d[59]), "+f"(d[60]), "+f"(d[61]), "+f"(d[62]), "+f"(d[63]), "+f"(d[64]), "+f"(d[65]), "+f"(d[66]), "+f"(d[67]), "+f"(d[68]), "+f"(d[69]), "+f"(d[70]), "+f"(d[71]), "+f"(d[72]), "+f"(d[73]), "+f"(d[74]), "+f"(d[75]), "+f"(d[76]), "+f"(d[77]), "+f"(d[78]), "+f"(d[79]), "+f"(d[80]), "+f"(d[81]), "+f"(d[82]), "+f"(d[83]), "+f"(d[84]), "+f"(d[85]), "+f"(d[86]), "+f"(d[87]), "+f"(d[88]), "+f"(d[89]), "+f"(d[90]), "+f"(d[91]), "+f"(d[92]), "+f"(d[93]), "+f"(d[94]), "+f"(d[95]), "+f"(d[96]), "+f"(d[97]), "+f"(d[98]), "+f"(d[99]), "+f"(d[100]), "+f"(d[101]), "+f"(d[102]), "+f"(d[103]), "+f"(d[104]), "+f"(d[105]), "+f"(d[106]), "+f"(d[107]), "+f"(d[108]), "+f"(d[109]), "+f"(d[110]), "+f"(d[111]), "+f"(d[112]), "+f"(d[113]), "+f"(d[114]), "+f"(d[115]), "+f"(d[116]), "+f"(d[117]), "+f"(d[118]), "+f"(d[119]), "+f"(d[120]), "+f"(d[121]), "+f"(d[122]), "+f"(d[123]), "+f"(d[124]), "+f"(d[125]), "+f"(d[126]), "+f"(d[127])
      : "r"(a[0]), "r"(a[1]), "r"(a[2]), "r"(a[3]), "l"(b), "r"(accumulate));
}

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
