// attentune_combine: after a split attentune_forward, merges the shares of each row; a warp a row, always in the order
// of the splits.
enum : int {
  COMBINE_THREADS = 128,
};

extern "C" __global__ void __launch_bounds__(COMBINE_THREADS)
    attentune_combine(const __grid_constant__ AttentionArgs args) {
  const i64 rows = args.batch * args.heads_q * args.len_q;
  const i64 row = (i64)blockIdx.x * (COMBINE_THREADS / 32) + threadIdx.x / 32;
  const int lane = threadIdx.x % 32;
  if (row >= rows) {
    return;
  }
  const int splits = split_count(args);
  const float* const partial_out = (const float*)args.workspace[0] + row * HEAD_DIM_V;
  const float* const partial_log2 = (const float*)args.workspace[1] + row;

  float max = minus_infinity();
  for (int n = 0; n < splits; ++n) {
    max = fmaxf(max, partial_log2[n * rows]);
  }
  const float origin = max == minus_infinity() ? 0 : max;
  float sum = 0;
  float2 o[(HEAD_DIM_V + 63) / 64] = {};
  for (int n = 0; n < splits; ++n) {
    const float weight = exp2_approx(partial_log2[n * rows] - origin);
    sum += weight;
#pragma unroll
    for (int part = 0; part < HEAD_DIM_V; part += 64) {
      if (part + 2 * lane < HEAD_DIM_V) {
        const float2 share = *(const float2*)(partial_out + n * rows * HEAD_DIM_V + part + 2 * lane);
        o[part / 64].x += weight * share.x;
        o[part / 64].y += weight * share.y;
      }
    }
  }

  const int query = (int)(row % args.len_q);
  const int head = (int)(row / args.len_q % args.heads_q);
  const i64 batch = row / args.len_q / args.heads_q;
  const RowEnd end = finish_row(args, max, sum, head);
  if (HAS_LSE && lane == 0) {
    args.lse[batch * args.lse_stride[0] + head * args.lse_stride[1] + query * args.lse_stride[2]] = end.lse;
  }
  u32* const out =
      (u32*)args.out + (batch * args.out_stride[0] + query * args.out_stride[1] + head * args.out_stride[2]) / 2;
#pragma unroll
  for (int part = 0; part < HEAD_DIM_V; part += 64) {
    if (part + 2 * lane < HEAD_DIM_V) {
      out[part / 2 + lane] = pack_16bit(o[part / 64].x * end.factor, o[part / 64].y * end.factor);
    }
  }
}
