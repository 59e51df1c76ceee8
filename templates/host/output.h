/* From sums to outputs: rows that saw all their keys in one task, rows of a part of the keys, and parts put together.
 */
#ifndef ATTENTUNE_HOST_OUTPUT_H
#define ATTENTUNE_HOST_OUTPUT_H

#include "templates/attention_args.h"
#include "templates/host/constants.h"
#include "templates/host/convert.h"
#include "templates/host/exp2.h"
#include "templates/host/log.h"
#include "templates/host/rows.h"
#include "templates/host/scratch.h"
#include "templates/host/softmax.h"
#include "templates/host/tasks.h"

/* One row's place in the outputs. */
typedef struct OutputRow {
  int64_t batch;
  int64_t head;
  int64_t query;
} OutputRow;

/* o: sums of P V; l: of P; both relative to 2^m. */
INLINE void finish_row(const AttentionArgs* args, const OutputRow* row, const float* o, float m, float l) {
  const int64_t bytes = dtype_bytes(OUT_DTYPE);
  const int whole = HEAD_DIM_V / LANES;
  const int tail = HEAD_DIM_V % LANES;
  float factor = 1.0f;
  const int seen = l != 0.0f; /* true for NaN: it reaches the outputs */
  double natural_m = (double)m * LN_2;
  if (HAS_SINK_LOGIT && seen) {
    const float sink = args->sink_logit[row->head] * LOG2_E;
    const float larger_m = sink > m ? sink : m;
    factor = attentune_exp2(m - larger_m);
    l = l * factor + attentune_exp2(sink - larger_m);
    if (sink > m) {
      natural_m = args->sink_logit[row->head]; /* a large logit is not to be rounded on its way to base 2 and back */
    }
  }
  const vec normalize = splat(factor / l);
  char* out =
      (char*)args->out +
      (row->batch * args->out_stride[0] + row->query * args->out_stride[1] + row->head * args->out_stride[2]) * bytes;
  for (int v = 0; v < whole; ++v) {
    store_elements(OUT_DTYPE, out + v * LANES * bytes, seen ? load(o + v * LANES) * normalize : splat(0.0f));
  }
  if (tail != 0) {
    store_some(OUT_DTYPE, out + whole * LANES * bytes, seen ? load(o + whole * LANES) * normalize : splat(0.0f), tail);
  }
  if (HAS_LSE && args->lse) {
    float* lse = args->lse + row->batch * args->lse_stride[0] + row->head * args->lse_stride[1] +
                 row->query * args->lse_stride[2];
    /* Without a visible key the sink, where there is one, is the whole denominator. */
    const float empty = HAS_SINK_LOGIT ? args->sink_logit[row->head] : -__builtin_inff();
    *lse = seen ? (float)(natural_m + natural_log(l)) : empty;
  }
}

INLINE void finish_rows(const AttentionArgs* args, const Scratch* scratch, const RowTile* rows) {
  for (int64_t r = 0; r < rows->rows; ++r) {
    const OutputRow row = {rows->batch, head_of(rows->first + r, rows->head_kv), query_of(rows->first + r)};
    finish_row(args, &row, scratch->o + r * o_stride(), scratch->m[r], horizontal_sum(load(scratch->l + r * LANES)));
  }
}

/* Rows of all KV heads are numbered through: batch, KV head, packed GQA row. */
INLINE int64_t rows_of_call(const AttentionArgs* args) { return args->batch * args->heads_kv * args->len_q * GROUP; }
INLINE float* partial_row(const AttentionArgs* args, void* partial, int64_t part, int64_t row) {
  return (float*)partial + (part * rows_of_call(args) + row) * partial_floats();
}

INLINE void store_part(const AttentionArgs* args, const Scratch* scratch, const RowTile* rows, int64_t part) {
  const int64_t first = (rows->batch * args->heads_kv + rows->head_kv) * args->len_q * GROUP + rows->first;
  for (int64_t r = 0; r < rows->rows; ++r) {
    float* to = partial_row(args, args->workspace[1], part, first + r);
    for (int64_t i = 0; i < o_columns(); i += LANES) {
      store(to + i, load(scratch->o + r * o_stride() + i));
    }
    to[o_columns()] = scratch->m[r];
    to[o_columns() + 1] = horizontal_sum(load(scratch->l + r * LANES));
  }
}

/* Parts in the order of their keys, so that results do not depend on who computed what when. A part without a visible
 * key has m = -inf and counts for nothing; if no part has one, nothing is scaled by 2^(-inf + inf). */
INLINE void combine_row(const AttentionArgs* args, void* partial, int64_t row) {
  const int64_t parts = splits(args);
  float m = -__builtin_inff();
  for (int64_t part = 0; part < parts; ++part) {
    const float other = partial_row(args, partial, part, row)[o_columns()];
    m = other > m || other != other ? other : m;
  }
  const float origin = m == -__builtin_inff() ? 0.0f : m;
  float* const sum = partial_row(args, partial, 0, row);
  float l = 0.0f;
  for (int64_t part = 0; part < parts; ++part) {
    const float* const from = partial_row(args, partial, part, row);
    const float factor = attentune_exp2(from[o_columns()] - origin);
    l += from[o_columns() + 1] * factor;
    for (int64_t i = 0; i < o_columns(); i += LANES) {
      const vec before = part == 0 ? splat(0.0f) : load(sum + i);
      store(sum + i, before + load(from + i) * splat(factor));
    }
  }
  const int64_t rows_a_head = args->len_q * GROUP;
  const int64_t head_kv = row / rows_a_head % args->heads_kv;
  const OutputRow place = {row / rows_a_head / args->heads_kv, head_of(row % rows_a_head, head_kv),
                           query_of(row % rows_a_head)};
  finish_row(args, &place, sum, m, l);
}

#endif
