/* forward_host: attention forward on CPUs. A task is (batch, KV head, row tile): it walks the key tiles, keeps S, P and
 * its part of O in the worker's scratch, and writes its rows of O and LSE. FlashAttention-2's loop order (Dao 2023,
 * algorithm 1) around GEMM-style micro-kernels. */
#include "templates/attention_args.h"
#include "templates/host/constants.h"
#include "templates/host/convert.h"
#include "templates/host/exp2.h"
#include "templates/host/log.h"
#include "templates/host/mask.h"
#include "templates/host/micro_kernel.h"
#include "templates/host/pack.h"
#include "templates/host/scratch.h"
#include "templates/host/softmax.h"
#include "templates/host/vector.h"

typedef struct RowTile {
  int64_t batch;
  int64_t head_kv;
  int64_t first; /* packed GQA row */
  int64_t rows;
} RowTile;

typedef struct KeyTile {
  int64_t index;
  int64_t first;
  int64_t keys;
} KeyTile;

/* A key tile as the products read it. */
typedef struct Operands {
  const float* k;   /* packed */
  const float* v;   /* packed, or V itself at the tile's first key */
  int64_t v_stride; /* floats between the keys of V itself */
} Operands;

INLINE int64_t row_tiles(const AttentionArgs* args) { return (args->len_q * GROUP + TILE_M - 1) / TILE_M; }
INLINE int64_t key_tiles(const AttentionArgs* args) { return (args->len_kv + TILE_N - 1) / TILE_N; }

/* Under causal masks late rows see most keys: they come first, so the longest tasks are not the last to start. */
INLINE RowTile row_tile_of(const AttentionArgs* args, int64_t task) {
  const int64_t tiles = row_tiles(args);
  const int64_t all_rows = args->len_q * GROUP;
  const int64_t head = task / tiles;
  RowTile tile;
  tile.batch = head / args->heads_kv;
  tile.head_kv = head % args->heads_kv;
  tile.first = (tiles - 1 - task % tiles) * TILE_M;
  tile.rows = all_rows - tile.first < TILE_M ? all_rows - tile.first : TILE_M;
  return tile;
}

INLINE KeyTile key_tile_of(const AttentionArgs* args, int64_t index) {
  KeyTile tile;
  tile.index = index;
  tile.first = index * TILE_N;
  tile.keys = args->len_kv - tile.first < TILE_N ? args->len_kv - tile.first : TILE_N;
  return tile;
}

INLINE int class_of(const AttentionArgs* args, const RowTile* rows, const KeyTile* keys) {
  if (!HAS_MASK) {
    return TILE_FULL;
  }
  const int64_t shift = args->len_kv - args->len_q;
  return attentune_classify(query_of(rows->first) + shift, query_of(rows->first + rows->rows - 1) + shift, keys->first,
                            keys->first + keys->keys - 1, args->mask_arguments);
}

/* S = Q K^T: a panel of K stays in the first-level cache while all rows pass. */
INLINE void multiply_qk(const Scratch* scratch, int64_t rows, int64_t width, const float* k) {
  const int64_t panel = MICRO_VECTORS * LANES;
  for (int64_t j = 0; j < width; j += panel) {
    for (int64_t r = 0; r < rows; r += MICRO_ROWS) {
      micro_kernel(MICRO_ROWS, MICRO_VECTORS, HEAD_DIM_QK, scratch->q + r * q_stride(), q_stride(),
                   k + j * padded(HEAD_DIM_QK), panel, scratch->s + r * s_stride() + j, s_stride(), 0);
    }
  }
}

/* O = alpha O + P V over `keys` keys, for the panel of `vectors` vectors of d_v that begins at vector `first`. */
INLINE void multiply_pv(const Scratch* scratch, int64_t rows, int64_t keys, const Operands* operands, int64_t first,
                        int vectors) {
  const float* v = operands->v + (PACK == PACK_K ? first : first * TILE_N) * LANES;
  const int64_t v_stride = PACK == PACK_K ? operands->v_stride : vectors * LANES;
  for (int64_t r = 0; r < rows; r += MICRO_ROWS) {
    micro_kernel(MICRO_ROWS, vectors, keys, scratch->s + r * s_stride(), s_stride(), v, v_stride,
                 scratch->o + r * o_stride() + first * LANES, o_stride(), scratch->alpha + r);
  }
}

/* S of one row: through the score expression, minus what the row does not see. */
INLINE void finish_scores(const AttentionArgs* args, float* s, int64_t row, const KeyTile* keys, int64_t width,
                          int tile_class) {
  if (HAS_SCORE) {
    apply_score(s, width);
  }
  if (HAS_MASK && tile_class == TILE_PARTIAL) {
    apply_mask(s, keys->keys, query_of(row) + args->len_kv - args->len_q, keys->first, args->mask_arguments);
  }
  if (keys->keys < width) {
    hide_padding(s, keys->keys, width);
  }
}

/* S to P, m, l and alpha brought up to date, 16 rows at a time. Rows past the tile's last are micro-kernel padding:
 * their numbers mean nothing and are never stored. */
INLINE void softmax_tile(const AttentionArgs* args, const Scratch* scratch, const RowTile* rows, const KeyTile* keys,
                         int64_t width, int tile_class) {
  const int64_t vectors = width / LANES;
  for (int64_t first = 0; first < rows->rows; first += LANES) {
    const int64_t end = rows->rows - first < LANES ? rows->rows : first + LANES;
    float origin[LANES] __attribute__((aligned(64)));
    for (int64_t r = first; r < end; ++r) {
      float* s = scratch->s + r * s_stride();
      finish_scores(args, s, rows->first + r, keys, width, tile_class);
      scratch->alpha[r] = row_max(s, vectors);
    }
    update_maxima(scratch->m + first, scratch->alpha + first, origin);
    for (int64_t r = first; r < end; ++r) {
      row_exp2(scratch->s + r * s_stride(), vectors, origin[r - first], scratch->alpha[r], scratch->l + r * LANES);
    }
  }
}

INLINE void begin_rows(const Scratch* scratch) {
  for (int64_t i = 0; i < TILE_M * o_stride(); i += LANES) {
    store(scratch->o + i, splat(0.0f));
  }
  for (int64_t r = 0; r < TILE_M; ++r) {
    store(scratch->l + r * LANES, splat(0.0f));
  }
  for (int64_t r = 0; r < padded(TILE_M); r += LANES) {
    store(scratch->m + r, splat(-__builtin_inff()));
    store(scratch->alpha + r, splat(-__builtin_inff()));
  }
}

INLINE void finish_rows(const AttentionArgs* args, const Scratch* scratch, const RowTile* rows) {
  const int64_t bytes = dtype_bytes(OUT_DTYPE);
  const int whole = HEAD_DIM_V / LANES;
  const int tail = HEAD_DIM_V % LANES;
  for (int64_t r = 0; r < rows->rows; ++r) {
    const int64_t query = query_of(rows->first + r);
    const int64_t head = head_of(rows->first + r, rows->head_kv);
    float m = scratch->m[r];
    float l = horizontal_sum(load(scratch->l + r * LANES));
    float factor = 1.0f;
    const int seen = l != 0.0f; /* true for NaN: it reaches the outputs */
    if (HAS_SINK_LOGIT && seen) {
      const float sink = args->sink_logit[head] * LOG2_E;
      const float larger_m = sink > m ? sink : m;
      factor = attentune_exp2(m - larger_m);
      l = l * factor + attentune_exp2(sink - larger_m);
      m = larger_m;
    }
    const vec normalize = splat(factor / l);
    const float* o = scratch->o + r * o_stride();
    char* out = (char*)args->out +
                (rows->batch * args->out_stride[0] + query * args->out_stride[1] + head * args->out_stride[2]) * bytes;
    for (int v = 0; v < whole; ++v) {
      store_elements(OUT_DTYPE, out + v * LANES * bytes, seen ? load(o + v * LANES) * normalize : splat(0.0f));
    }
    if (tail != 0) {
      store_some(OUT_DTYPE, out + whole * LANES * bytes, seen ? load(o + whole * LANES) * normalize : splat(0.0f),
                 tail);
    }
    if (HAS_LSE && args->lse) {
      float* lse =
          args->lse + rows->batch * args->lse_stride[0] + head * args->lse_stride[1] + query * args->lse_stride[2];
      /* Without a visible key the sink, where there is one, is the whole denominator. */
      const float empty = HAS_SINK_LOGIT ? args->sink_logit[head] : -__builtin_inff();
      *lse = seen ? (float)((double)m * LN_2 + natural_log(l)) : empty;
    }
  }
}

/* The tile's place among all tiles of the call. */
INLINE float* packed_tile(void* packed, const AttentionArgs* args, int64_t batch, int64_t head_kv, int64_t index) {
  return (float*)packed + ((batch * args->heads_kv + head_kv) * key_tiles(args) + index) * packed_tile_floats();
}

INLINE Operands operands_of(const AttentionArgs* args, const Scratch* scratch, const RowTile* rows,
                            const KeyTile* keys) {
  Operands operands;
  operands.v_stride = args->v_stride[1];
  if (PACK == PACK_WHOLE) {
    operands.k = packed_tile(args->workspace[1], args, rows->batch, rows->head_kv, keys->index);
    operands.v = operands.k + k_tile_floats();
    return operands;
  }
  pack_k(args, rows->batch, rows->head_kv, keys->first, keys->keys, scratch->k);
  operands.k = scratch->k;
  if (PACK == PACK_K) {
    operands.v = (const float*)args->v + rows->batch * args->v_stride[0] + rows->head_kv * args->v_stride[2] +
                 keys->first * args->v_stride[1];
    return operands;
  }
  pack_v(args, rows->batch, rows->head_kv, keys->first, keys->keys, scratch->v);
  operands.v = scratch->v;
  return operands;
}

INLINE void forward_task(const AttentionArgs* args, const Scratch* scratch, const RowTile* rows) {
  const int64_t panel = MICRO_VECTORS * LANES;
  const int64_t vectors = vectors_of(HEAD_DIM_V);
  const int64_t whole_vectors = vectors / MICRO_VECTORS * MICRO_VECTORS;
  const int tail_vectors = (int)(vectors - whole_vectors);
  pack_q(args, rows->batch, rows->head_kv, rows->first, rows->rows, HAS_SCORE ? args->scale : args->scale * LOG2_E,
         scratch->q);
  begin_rows(scratch);
  const int64_t tiles = key_tiles(args);
  for (int64_t index = 0; index < tiles; ++index) {
    const KeyTile keys = key_tile_of(args, index);
    const int tile_class = class_of(args, rows, &keys);
    if (tile_class == TILE_EMPTY) {
      continue;
    }
    const Operands operands = operands_of(args, scratch, rows, &keys);
    const int64_t width = (keys.keys + panel - 1) / panel * panel;
    multiply_qk(scratch, rows->rows, width, operands.k);
    softmax_tile(args, scratch, rows, &keys, width, tile_class);
    for (int64_t first = 0; first < whole_vectors; first += MICRO_VECTORS) {
      multiply_pv(scratch, rows->rows, keys.keys, &operands, first, MICRO_VECTORS);
    }
    if (tail_vectors != 0) {
      multiply_pv(scratch, rows->rows, keys.keys, &operands, whole_vectors, tail_vectors);
    }
  }
  finish_rows(args, scratch, rows);
}

/* The launch before attentune_forward where PACK_WHOLE: tasks in [0, batch * heads_kv * ceil(len_kv / TILE_N)), a key
 * tile each, into workspace 0. */
void attentune_pack(const AttentionArgs* args, int64_t task_begin, int64_t task_end) {
  if (PACK != PACK_WHOLE) {
    return;
  }
  const int64_t tiles = key_tiles(args);
  for (int64_t task = task_begin; task < task_end; ++task) {
    const int64_t head = task / tiles;
    const int64_t batch = head / args->heads_kv;
    const int64_t head_kv = head % args->heads_kv;
    const KeyTile keys = key_tile_of(args, task % tiles);
    float* to = packed_tile(args->workspace[0], args, batch, head_kv, keys.index);
    pack_k(args, batch, head_kv, keys.first, keys.keys, to);
    pack_v(args, batch, head_kv, keys.first, keys.keys, to + k_tile_floats());
  }
}

/* Workspace 0 is the worker's scratch; 1, where PACK_WHOLE, what attentune_pack wrote. Tasks in [0, batch * heads_kv *
 * ceil(len_q * GROUP / TILE_M)). */
void attentune_forward(const AttentionArgs* args, int64_t task_begin, int64_t task_end) {
  const Scratch scratch = scratch_at((float*)args->workspace[0]);
  for (int64_t task = task_begin; task < task_end; ++task) {
    const RowTile rows = row_tile_of(args, task);
    forward_task(args, &scratch, &rows);
  }
}
