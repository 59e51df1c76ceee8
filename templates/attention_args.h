/* AttentionArgs: one attention call as every kernel sees it, host and GPU alike (plain C, no include but integers).
 *
 * Logical order: Q [batch, len_q, heads_q, head_dim_qk], K/V [batch, len_kv, heads_kv, d], out [batch, len_q, heads_q,
 * head_dim_v], lse [batch, heads_q, len_q]. The innermost dimension of Q, K, V, out is contiguous; strides are in
 * elements. Whatever a call does not use is null or zero.
 *
 * GPU kernels take it by value; NVRTC compiles this text as part of theirs. */
#ifndef ATTENTUNE_ATTENTION_ARGS_H
#define ATTENTUNE_ATTENTION_ARGS_H

#ifdef __CUDACC_RTC__
typedef long long int64_t; /* NVRTC has no headers of its own */
#else
#include <stdint.h>
#endif

enum { ATTENTUNE_MASK_SLOTS = 8, ATTENTUNE_WORKSPACE_SLICES = 8 };

typedef struct AttentionArgs {
  const void* q;
  const void* k;
  const void* v;
  const float* sink_logit; /* [heads_q] */
  void* out;
  float* lse;
  void* workspace[ATTENTUNE_WORKSPACE_SLICES]; /* the LaunchRule's slices, in order; garbage on entry */
  int64_t q_stride[3];                         /* batch, row, head */
  int64_t k_stride[3];
  int64_t v_stride[3];
  int64_t out_stride[3];
  int64_t lse_stride[3]; /* batch, head, row */
  int64_t batch;
  int64_t heads_q;
  int64_t heads_kv;
  int64_t len_q;
  int64_t len_kv;
  int64_t mask_arguments[ATTENTUNE_MASK_SLOTS]; /* in slot order of the mask's structure */
  int64_t launch_choices[4];                    /* integer launch choices, in Config order */
  float scale;
  float reserved;
  /* Of GPU kernels compiled with a watchdog: 8 bytes that outlive a trap, else null. A kernel that gives up a wait
   * writes there, from bit 0 up: its block's number (32 bits), the warp's number in the block (8), the ring of tiles it
   * waited at, 'Q', 'K' or 'V' (8), the stage of the ring (8), the parity (1), and whether it waited for the stage to
   * be full or to be empty (1, 0). */
  unsigned long long* watchdog_report;
} AttentionArgs;

#endif
