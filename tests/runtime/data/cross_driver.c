/* Runs one kernel of another machine against the definition in double. Built and started by cross_test.cpp, which says
 * with macros what the kernel is. Exit code 0: within TOLERANCE. */
#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "templates/attention_args.h"

void attentune_forward(const AttentionArgs* args, int64_t begin, int64_t end);
void attentune_combine(const AttentionArgs* args, int64_t begin, int64_t end);
#if PACK_TASKS > 0
void attentune_pack(const AttentionArgs* args, int64_t begin, int64_t end);
#endif

static uint16_t to_16(float x) {
  uint16_t h;
#if DTYPE == 2
  uint32_t u;
  memcpy(&u, &x, 4);
  h = (uint16_t)(u >> 16);
#else
  const __fp16 half = (__fp16)x;
  memcpy(&h, &half, 2);
#endif
  return h;
}

static float from_16(uint16_t h) {
#if DTYPE == 2
  const uint32_t u = (uint32_t)h << 16;
  float x;
  memcpy(&x, &u, 4);
  return x;
#else
  __fp16 half;
  memcpy(&half, &h, 2);
  return (float)half;
#endif
}

enum { BYTES = DTYPE == 0 ? 4 : 2 };

static float get(const void* tensor, int64_t i) {
  return DTYPE == 0 ? ((const float*)tensor)[i] : from_16(((const uint16_t*)tensor)[i]);
}

static void* tensor(int64_t elements, unsigned seed) {
  char* bytes = malloc((size_t)(elements * BYTES));
  for (int64_t i = 0; i < elements; ++i) {
    seed = seed * 1664525u + 1013904223u;
    const float x = (float)(seed >> 8) / 8388608.0f - 1.0f;
    if (DTYPE == 0) {
      ((float*)bytes)[i] = x;
    } else {
      ((uint16_t*)bytes)[i] = to_16(x);
    }
  }
  return bytes;
}

static void* workspace(int64_t bytes) {
  void* memory = aligned_alloc(64, (size_t)((bytes + 127) / 64 * 64));
  memset(memory, 0xff, (size_t)bytes);
  return memory;
}

static double error_of(const AttentionArgs* args, int64_t head, int64_t row) {
  double sum = 0, worst = 0, out[HEAD_DIM_V] = {0};
  for (int64_t key = 0; key < LEN_KV; ++key) {
    if (CAUSAL && key > row + LEN_KV - LEN_Q) {
      break;
    }
    const int64_t head_kv = head / (HEADS_Q / HEADS_KV);
    double score = 0;
    for (int64_t d = 0; d < HEAD_DIM_QK; ++d) {
      score += (double)get(args->q, (row * HEADS_Q + head) * HEAD_DIM_QK + d) *
               (double)get(args->k, (key * HEADS_KV + head_kv) * HEAD_DIM_QK + d);
    }
    const double p = exp(score * (double)args->scale);
    sum += p;
    for (int64_t d = 0; d < HEAD_DIM_V; ++d) {
      out[d] += p * (double)get(args->v, (key * HEADS_KV + head_kv) * HEAD_DIM_V + d);
    }
  }
  for (int64_t d = 0; d < HEAD_DIM_V; ++d) {
    const double error = fabs((double)get(args->out, (row * HEADS_Q + head) * HEAD_DIM_V + d) - out[d] / sum);
    worst = error <= worst ? worst : error; /* NaN counts */
  }
  return worst;
}

int main(void) {
  AttentionArgs args = {0};
  args.q = tensor(LEN_Q * HEADS_Q * HEAD_DIM_QK, 1);
  args.k = tensor(LEN_KV * HEADS_KV * HEAD_DIM_QK, 2);
  args.v = tensor(LEN_KV * HEADS_KV * HEAD_DIM_V, 3);
  args.out = tensor(LEN_Q * HEADS_Q * HEAD_DIM_V, 4);
  const int64_t strides[4][3] = {{0, HEADS_Q * HEAD_DIM_QK, HEAD_DIM_QK},
                                 {0, HEADS_KV * HEAD_DIM_QK, HEAD_DIM_QK},
                                 {0, HEADS_KV * HEAD_DIM_V, HEAD_DIM_V},
                                 {0, HEADS_Q * HEAD_DIM_V, HEAD_DIM_V}};
  memcpy(args.q_stride, strides[0], sizeof strides[0]);
  memcpy(args.k_stride, strides[1], sizeof strides[1]);
  memcpy(args.v_stride, strides[2], sizeof strides[2]);
  memcpy(args.out_stride, strides[3], sizeof strides[3]);
  args.batch = 1;
  args.heads_q = HEADS_Q;
  args.heads_kv = HEADS_KV;
  args.len_q = LEN_Q;
  args.len_kv = LEN_KV;
  args.scale = 1.0f / sqrtf(HEAD_DIM_QK);
  args.launch_choices[0] = 1;
  args.launch_choices[1] = SPLIT;
  void* const scratch = workspace(SCRATCH);
  void* const partial = workspace(PARTIAL);
  void* const packed = workspace(PACKED);
#if PACK_TASKS > 0
  args.workspace[0] = packed;
  attentune_pack(&args, 0, PACK_TASKS);
#endif
  args.workspace[0] = scratch;
  args.workspace[1] = partial;
  args.workspace[2] = packed;
  attentune_forward(&args, 0, TASKS);
  args.workspace[0] = partial;
  attentune_combine(&args, 0, COMBINE_TASKS);
  double worst = 0;
  for (int64_t head = 0; head < HEADS_Q; ++head) {
    for (int64_t row = 0; row < LEN_Q; ++row) {
      const double error = error_of(&args, head, row);
      worst = error <= worst ? worst : error;
    }
  }
  printf("worst error %.3g\n", worst);
  return worst <= TOLERANCE ? 0 : 1;
}
