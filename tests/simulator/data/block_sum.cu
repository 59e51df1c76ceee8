// Sums by warp shuffles and shared memory of both kinds; a table in constant memory, a counter in global memory.
__constant__ float weights[4] = {1.0f, 0.5f, 0.25f, 0.125f};
__device__ unsigned finished;

static __device__ __forceinline__ float warp_sum(float value) {
  for (int distance = 16; distance > 0; distance /= 2)
    value += __shfl_xor_sync(~0u, value, distance);
  return value;
}

extern "C" __global__ void __launch_bounds__(256, 2) block_sum(const float* values, float* sums, long long count) {
  __shared__ float partial[8];
  extern __shared__ __align__(1024) unsigned char staged[];
  float* const copy = reinterpret_cast<float*>(staged);
  float sum = 0;
  for (long long at = blockIdx.x * 256ll + threadIdx.x; at < count; at += gridDim.x * 256ll) {
    copy[threadIdx.x] = values[at];
    sum += weights[at & 3] * copy[threadIdx.x];
  }
  sum = warp_sum(sum);
  if (threadIdx.x % 32 == 0)
    partial[threadIdx.x / 32] = sum;
  __syncthreads();
  if (threadIdx.x >= 32)
    return;
  sum = warp_sum(threadIdx.x < 8 ? partial[threadIdx.x] : 0.0f);
  if (threadIdx.x == 0) {
    sums[blockIdx.x] = sum;
    atomicAdd(&finished, 1u);
  }
}
