// attentune_combine: after a split attentune_forward, merges the partial results of each row; a warp a row, always in
// the order of the splits.
enum : int {
  COMBINE_THREADS = 128,
  COMBINE_BLOCKS = 8,        // an SM: with registers for more it would spill
  COMBINE_COLUMNS = 4 * 32,  // of a row that a warp takes at once, four a lane
};

INLINE float warp_max(float x) {
#pragma unroll
  for (int distance = 16; distance > 0; distance /= 2) {
    x = fmaxf(x, __shfl_xor_sync(0xffffffff, x, distance));
  }
  return x;
}

// Row numbers have 32 bits: fewer than 2^31 rows are served (generator/gpu_refusal.cpp), and a division of 64 bits is a
// hundred instructions.
extern "C" __global__ void __launch_bounds__(COMBINE_THREADS, COMBINE_BLOCKS)
    attentune_combine(const __grid_constant__ AttentionArgs args) {
  const u32 len_q = (u32)args.len_q;
  const u32 heads_q = (u32)args.heads_q;
  const i64 rows = (i64)((u32)args.batch * heads_q * len_q);
  const u32 row = blockIdx.x * (COMBINE_THREADS / 32) + threadIdx.x / 32;
  const int lane = threadIdx.x % 32;
  if (row >= rows) {
    return;
  }
  const int splits = split_count(args);
  const float* const partial_out = (const float*)args.workspace[0] + (i64)row * HEAD_DIM_V + 4 * lane;
  const float* const partial_log2 = (const float*)args.workspace[1] + row;

  float max = minus_infinity();
#pragma unroll 1
  for (int n = lane; n < splits; n += 32) {
    max = fmaxf(max, partial_log2[n * rows]);
  }
  max = warp_max(max);
  const float origin = max == minus_infinity() ? 0 : max;
  float sum = 0;
  float4 o[(HEAD_DIM_V + COMBINE_COLUMNS - 1) / COMBINE_COLUMNS] = {};
#pragma unroll 4
  for (int n = 0; n < splits; ++n) {
    const float weight = exp2_approx(partial_log2[n * rows] - origin);
    sum += weight;
#pragma unroll
    for (int part = 0; part < HEAD_DIM_V; part += COMBINE_COLUMNS) {
      if (part + 4 * lane < HEAD_DIM_V) {
        const float4 share = *(const float4*)(partial_out + n * rows * HEAD_DIM_V + part);
        float4& total = o[part / COMBINE_COLUMNS];
        total.x += weight * share.x;
        total.y += weight * share.y;
        total.z += weight * share.z;
        total.w += weight * share.w;
      }
    }
  }

  const u32 query = row % len_q;
  const u32 head = row / len_q % heads_q;
  const u32 batch = row / len_q / heads_q;
  const RowEnd end = finish_row(args, max, sum, (int)head);
  if (HAS_LSE && lane == 0) {
    args.lse[batch * args.lse_stride[0] + head * args.lse_stride[1] + query * args.lse_stride[2]] = end.lse;
  }
  char* const out = (char*)args.out + 2 * (batch * args.out_stride[0] + query * args.out_stride[1] +
                                           head * args.out_stride[2] + 4 * lane);
#pragma unroll
  for (int part = 0; part < HEAD_DIM_V; part += COMBINE_COLUMNS) {
    if (part + 4 * lane < HEAD_DIM_V) {
      const float4& total = o[part / COMBINE_COLUMNS];
      *(uint2*)(out + 2 * part) = uint2{pack_16bit(total.x * end.factor, total.y * end.factor),
                                        pack_16bit(total.z * end.factor, total.w * end.factor)};
    }
  }
}
