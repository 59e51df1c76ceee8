// A CUDA Source small enough to read, for tests of compiling, loading and launching.
#pragma once

#include <string>

#include "generator/source.h"

namespace attentune::test {

// Every thread copies one element of q to out; a block has 128.
inline Source tiny_source() {
  Source source;
  source.language = Language::cuda;
  source.text =
      R"(struct Args { const float* q; const void* k; const void* v; const float* sink; float* out; char rest[392]; };
extern "C" __global__ void __launch_bounds__(128) copy(const __grid_constant__ Args args) {
  extern __shared__ float tile[];
  __shared__ float fixed[8];
  const unsigned i = blockIdx.x * 128 + threadIdx.x;
  tile[threadIdx.x] = args.q[i];
  fixed[threadIdx.x % 8] = 0;
  __syncthreads();
  args.out[i] = tile[threadIdx.x ^ 1] + fixed[threadIdx.x % 8];
}
)";
  LaunchRule rule;
  rule.entry = "copy";
  rule.grid = {"batch * len_q * heads_q * head_dim_v / 128", "1", "1"};
  rule.block = {"128", "1", "1"};
  rule.shared_bytes = "512";
  source.launches.push_back(rule);
  return source;
}

}  // namespace attentune::test
