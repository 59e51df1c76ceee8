// A small attention kernel for the simulator's tests: 2 warps of 16 query rows, tiles of 32 keys, head dim 64, bf16.
// cp.async keeps two K tiles and one V tile under way; chunks of 16 bytes are swizzled by the row.
// attention.ptx: nvcc -ptx -arch=sm_80 -lineinfo attention.cu, the folder taken out of its .file lines.
typedef unsigned u32;
typedef unsigned short u16;
#define INLINE static __device__ __forceinline__

enum : int { DIM = 64, KEYS = 32, WARPS = 2, ROWS = WARPS * 16, ROW_BYTES = DIM * 2, TILE_BYTES = KEYS * ROW_BYTES };

INLINE u32 place(int row, int chunk) { return row * ROW_BYTES + ((chunk ^ row & 7) << 4); }
INLINE void commit() { asm volatile("cp.async.commit_group;" ::: "memory"); }
INLINE void wait_all_but_one() { asm volatile("cp.async.wait_group 1;" ::: "memory"); }
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

// Rows at or past `valid` become zeros.
INLINE void copy_tile(u32 to, const u16* from, int rows, int valid) {
#pragma unroll
  for (int i = threadIdx.x; i < rows * (DIM / 8); i += WARPS * 32) {
    const int row = i / (DIM / 8), chunk = i % (DIM / 8);
    asm volatile("cp.async.cg.shared.global [%0], [%1], 16, %2;" ::"r"(to + place(row, chunk)),
                 "l"(from + (row < valid ? row : 0) * DIM + chunk * 8), "r"(row < valid ? 16 : 0)
                 : "memory");
  }
}

INLINE void load_matrices(u32 (&r)[4], u32 address) {
  asm volatile("ldmatrix.sync.aligned.m8n8.x4.shared.b16 {%0,%1,%2,%3}, [%4];"
               : "=r"(r[0]), "=r"(r[1]), "=r"(r[2]), "=r"(r[3])
               : "r"(address)
               : "memory");
}

INLINE void load_transposed(u32 (&r)[4], u32 address) {
  asm volatile("ldmatrix.sync.aligned.m8n8.x4.trans.shared.b16 {%0,%1,%2,%3}, [%4];"
               : "=r"(r[0]), "=r"(r[1]), "=r"(r[2]), "=r"(r[3])
               : "r"(address)
               : "memory");
}

INLINE void multiply(float (&c)[4], const u32 (&a)[4], u32 b0, u32 b1) {
  asm volatile(
      "mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 {%0,%1,%2,%3}, {%4,%5,%6,%7}, {%8,%9}, {%0,%1,%2,%3};"
      : "+f"(c[0]), "+f"(c[1]), "+f"(c[2]), "+f"(c[3])
      : "r"(a[0]), "r"(a[1]), "r"(a[2]), "r"(a[3]), "r"(b0), "r"(b1));
}

INLINE float quad_max(float x) {
  x = fmaxf(x, __shfl_xor_sync(~0u, x, 1));
  return fmaxf(x, __shfl_xor_sync(~0u, x, 2));
}
INLINE float quad_sum(float x) {
  x += __shfl_xor_sync(~0u, x, 1);
  return x + __shfl_xor_sync(~0u, x, 2);
}

// q, out [rows][64], k, v [keys][64]; scale: in the base of 2.
extern "C" __global__ void __launch_bounds__(WARPS * 32)
    attention(const u16* q, const u16* k, const u16* v, u16* out, int rows, int keys, float scale) {
  extern __shared__ __align__(128) unsigned char shared[];
  const u32 sq = (u32)__cvta_generic_to_shared(shared), sk = sq + ROWS * ROW_BYTES, sv = sk + 2 * TILE_BYTES;
  const int warp = threadIdx.x / 32, lane = threadIdx.x % 32, first = blockIdx.x * ROWS;
  copy_tile(sq, q + first * DIM, ROWS, rows - first);
  copy_tile(sk, k, KEYS, keys);
  commit();
  float sum[2] = {}, most[2] = {-1e30f, -1e30f}, o[DIM / 8][4] = {};
  u32 a[DIM / 16][4];
  const int tiles = (keys + KEYS - 1) / KEYS;
  for (int tile = 0; tile < tiles; ++tile) {
    const int key = tile * KEYS;
    copy_tile(sv, v + key * DIM, KEYS, keys - key);
    commit();
    wait_all_but_one();
    __syncthreads();
    if (tile == 0) {
#pragma unroll
      for (int i = 0; i < DIM / 16; ++i)
        load_matrices(a[i], sq + place(warp * 16 + lane % 16, 2 * i + lane / 16));
      __syncwarp();
    }
    float s[KEYS / 8][4] = {};
#pragma unroll
    for (int i = 0; i < DIM / 16; ++i)
#pragma unroll
      for (int n = 0; n < KEYS / 16; ++n) {
        u32 b[4];
        load_matrices(b, sk + (tile & 1) * TILE_BYTES + place(n * 16 + lane % 8 + lane / 16 * 8, 2 * i + lane / 8 % 2));
        multiply(s[2 * n], a[i], b[0], b[1]);
        multiply(s[2 * n + 1], a[i], b[2], b[3]);
      }
    if (tile + 1 < tiles)
      copy_tile(sk + (~tile & 1) * TILE_BYTES, k + (key + KEYS) * DIM, KEYS, keys - key - KEYS);
    commit();
#pragma unroll
    for (int half = 0; half < 2; ++half) {
      float now = most[half];
#pragma unroll
      for (int n = 0; n < KEYS / 8; ++n)
#pragma unroll
        for (int c = 0; c < 2; ++c) {
          float& x = s[n][2 * half + c];
          x = key + 8 * n + lane % 4 * 2 + c < keys ? x * scale : -1e30f;
          now = fmaxf(now, x);
        }
      now = quad_max(now);
      const float shrink = exp2_approx(most[half] - now);
      most[half] = now;
      sum[half] *= shrink;
#pragma unroll
      for (int n = 0; n < DIM / 8; ++n) {
        o[n][2 * half] *= shrink;
        o[n][2 * half + 1] *= shrink;
      }
#pragma unroll
      for (int n = 0; n < KEYS / 8; ++n)
#pragma unroll
        for (int c = 0; c < 2; ++c) {
          float& x = s[n][2 * half + c];
          x = exp2_approx(x - now);
          sum[half] += x;
        }
    }
    wait_all_but_one();
    __syncthreads();
#pragma unroll
    for (int i = 0; i < KEYS / 16; ++i) {
      const u32 p[4] = {pack(s[2 * i][0], s[2 * i][1]), pack(s[2 * i][2], s[2 * i][3]),
                        pack(s[2 * i + 1][0], s[2 * i + 1][1]), pack(s[2 * i + 1][2], s[2 * i + 1][3])};
#pragma unroll
      for (int n = 0; n < DIM / 16; ++n) {
        u32 b[4];
        load_transposed(b, sv + place(i * 16 + lane % 16, 2 * n + lane / 16));
        multiply(o[2 * n], p, b[0], b[1]);
        multiply(o[2 * n + 1], p, b[2], b[3]);
      }
    }
    __syncthreads();
  }
#pragma unroll
  for (int half = 0; half < 2; ++half) {
    const float total = quad_sum(sum[half]);
    const int row = first + warp * 16 + lane / 4 + 8 * half;
    if (row >= rows)
      continue;
#pragma unroll
    for (int n = 0; n < DIM / 8; ++n)
      ((u32*)out)[row * (DIM / 2) + n * 4 + lane % 4] = pack(o[n][2 * half] / total, o[n][2 * half + 1] / total);
  }
}
