/* forward_host: attention forward on CPUs. A task is (batch, KV head, row tile, part of the keys): it walks its key
 * tiles, keeps S, P and its part of O in the worker's scratch, and writes its rows of O and LSE, or what its part of
 * the keys adds to them. FlashAttention-2's loop order (Dao 2023, algorithm 1) around GEMM-style micro-kernels. */
#include "templates/attention_args.h"
#include "templates/host/constants.h"
#include "templates/host/output.h"
#include "templates/host/pack.h"
#include "templates/host/products.h"
#include "templates/host/scratch.h"
#include "templates/host/softmax.h"
#include "templates/host/stream.h"
#include "templates/host/stream_tiles.h"
#include "templates/host/tasks.h"
#include "templates/host/vector.h"

/* The mask costs more than the softmax: only panels that the rows see in part go through it. */
INLINE void mask_scores(const AttentionArgs* args, float* s, const RowTile* group, const KeyTile* keys) {
  for (int64_t j = 0; j < keys->keys; j += MICRO_VECTORS * LANES) {
    const int64_t rest = keys->keys - j;
    const KeyTile panel = {keys->index, keys->first + j, rest < MICRO_VECTORS * LANES ? rest : MICRO_VECTORS * LANES};
    if (class_of(args, group, &panel) == TILE_FULL) {
      continue;
    }
    for (int64_t r = 0; r < group->rows; ++r) {
      apply_mask(s + r * s_stride() + j, panel.keys, query_of(group->first + r) + args->len_kv - args->len_q,
                 panel.first, args->mask_arguments);
    }
  }
}

/* S of a group of rows: through the score expression, minus what the rows do not see. Each step is a pass over all
 * rows, so that a tile seen whole, as most are, runs no mask code. */
INLINE void finish_scores(const AttentionArgs* args, float* s, const RowTile* group, const KeyTile* keys, int64_t width,
                          int tile_class) {
  if (HAS_SCORE) {
    for (int64_t r = 0; r < group->rows; ++r) {
      apply_score(s + r * s_stride(), width, __builtin_fabsf(args->scale));
    }
  }
  if (HAS_MASK && tile_class == TILE_PARTIAL) {
    mask_scores(args, s, group, keys);
  }
  if (keys->keys < width) {
    for (int64_t r = 0; r < group->rows; ++r) {
      hide_padding(s + r * s_stride(), keys->keys, width);
    }
  }
}

/* What S is multiplied by to be in units of log2; a scale of zero has made S zero (pack_q). */
INLINE float factor_of(const AttentionArgs* args) {
  const float scale = __builtin_fabsf(args->scale);
  return PRODUCT == PRODUCT_FMA || HAS_SCORE || scale == 0.0f ? 1.0f : scale * LOG2_E;
}

/* S to P, m, l and alpha brought up to date, 16 rows at a time. Rows past the tile's last are micro-kernel padding:
 * their numbers mean nothing and are never stored. */
INLINE void softmax_tile(const AttentionArgs* args, const Scratch* scratch, const RowTile* rows, const KeyTile* keys,
                         int64_t width, int tile_class) {
  const int64_t vectors = width / LANES;
  const float factor = factor_of(args);
  for (int64_t first = 0; first < rows->rows; first += LANES) {
    const int64_t end = rows->rows - first < LANES ? rows->rows : first + LANES;
    const RowTile group = {rows->batch, rows->head_kv, rows->first + first, end - first};
    float origin[LANES] __attribute__((aligned(64)));
    finish_scores(args, scratch->s + first * s_stride(), &group, keys, width, tile_class);
    for (int64_t r = first; r < end; ++r) {
      scratch->alpha[r] = row_max(scratch->s + r * s_stride(), vectors) * factor;
    }
    update_maxima(scratch->m + first, scratch->alpha + first, origin);
    for (int64_t r = first; r < end; ++r) {
      row_exp2(scratch->s + r * s_stride(), scratch->p + r * s_stride(), vectors, factor, origin[r - first],
               scratch->alpha[r], scratch->l + r * LANES);
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

/* The tile's place among all tiles of the call. */
INLINE float* packed_tile(void* packed, const AttentionArgs* args, int64_t batch, int64_t head_kv, int64_t index) {
  return (float*)packed + ((batch * args->heads_kv + head_kv) * key_tiles(args) + index) * packed_tile_floats();
}

INLINE Operands operands_of(const AttentionArgs* args, const Scratch* scratch, const RowTile* rows,
                            const KeyTile* keys) {
  Operands operands = {.v_stride = args->v_stride[1]};
  if (PACK == PACK_WHOLE) {
    operands.k = packed_tile(args->workspace[2], args, rows->batch, rows->head_kv, keys->index);
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

/* Each row group with the keys it sees, one panel of K or V after another. */
INLINE void packed_key_tile(const AttentionArgs* args, const Scratch* scratch, const RowTile* rows, const KeyTile* keys,
                            int tile_class) {
  const Operands operands = operands_of(args, scratch, rows, keys);
  KeyTile seen[MAX_ROW_GROUPS];
  keys_by_group(args, rows, keys, tile_class, seen);
  multiply_qk(scratch, rows->rows, keys, seen, &operands);
  for (int64_t first = 0; first < rows->rows; first += row_group()) {
    const RowTile group = row_group_at(rows, first);
    const KeyTile* group_keys = &seen[first / row_group()];
    const Scratch from = scratch_from(scratch, first);
    if (group_keys->keys == 0) {
      continue;
    }
    softmax_tile(args, &from, &group, group_keys,
                 ceil_div(group_keys->keys, MICRO_VECTORS * LANES) * MICRO_VECTORS * LANES, tile_class);
    if (PRODUCT == PRODUCT_TILE) {
      rescale_rows(&from, group.rows);
    }
  }
  multiply_pv(scratch, rows->rows, keys, seen, &operands);
}

/* First row of a tensor's key tile, and the bytes between its rows. */
INLINE const char* rows_at(const void* tensor, const int64_t stride[3], int dtype, const RowTile* rows, int64_t head_kv,
                           int64_t first_key) {
  return (const char*)tensor +
         (rows->batch * stride[0] + head_kv * stride[2] + first_key * stride[1]) * dtype_bytes(dtype);
}

/* `next_head` and `next_key`: where the K to come is asked for while this tile is at hand. */
INLINE void streamed_key_tile(const AttentionArgs* args, const Scratch* scratch, const RowTile* rows,
                              const KeyTile* keys, int tile_class, int64_t next_head, int64_t next_key) {
  const int64_t k_bytes = args->k_stride[1] * dtype_bytes(K_DTYPE);
  const int64_t v_bytes = args->v_stride[1] * dtype_bytes(V_DTYPE);
  const char* k = rows_at(args->k, args->k_stride, K_DTYPE, rows, rows->head_kv, keys->first);
  const char* v = rows_at(args->v, args->v_stride, V_DTYPE, rows, rows->head_kv, keys->first);
  const char* next_k = rows_at(args->k, args->k_stride, K_DTYPE, rows, next_head, next_key);
  if (PRODUCT == PRODUCT_TILE) {
    stream_tiles_qk(scratch, rows->rows, keys->keys, k, k_bytes, v, v_bytes);
    softmax_tile(args, scratch, rows, keys, ceil_div(keys->keys, TILE_KEYS) * TILE_KEYS, tile_class);
    for (int64_t j = 0; j < TILE_N; ++j) {
      prefetch_row(next_k + j * k_bytes, HEAD_DIM_QK * 2);
    }
    rescale_rows(scratch, rows->rows);
    pack_v(args, rows->batch, rows->head_kv, keys->first, keys->keys, scratch->v);
    const Operands operands = {.v = scratch->v};
    multiply_pv(scratch, rows->rows, keys, keys, &operands); /* all rows are one group */
    return;
  }
  stream_qk(scratch, rows->rows, keys->keys, k, k_bytes, v, v_bytes);
  softmax_tile(args, scratch, rows, keys, padded(keys->keys), tile_class);
  stream_pv(scratch, rows->rows, keys->keys, v, v_bytes, next_k, k_bytes);
}

INLINE void begin_task(const AttentionArgs* args, const Scratch* scratch, const RowTile* rows) {
  pack_q(args, rows->batch, rows->head_kv, rows->first, rows->rows,
         HAS_SCORE || PRODUCT != PRODUCT_FMA ? args->scale : args->scale * LOG2_E, scratch->q);
  if (PACK == PACK_NONE && PRODUCT == PRODUCT_TILE) {
    turn_q(scratch);
  } else if (PACK == PACK_NONE) {
    for (int64_t r = 0; r < rows->rows; ++r) {
      split_q(scratch->q + r * q_stride());
    }
  }
  begin_rows(scratch);
}

INLINE void end_task(const AttentionArgs* args, const Scratch* scratch, const RowTile* rows, const Part* part) {
  if (PACK == PACK_NONE && PRODUCT != PRODUCT_TILE) {
    for (int64_t r = 0; r < rows->rows; ++r) {
      join_o(scratch->o + r * o_stride());
    }
  }
  if (splits(args) > 1) {
    store_part(args, scratch, rows, part->index);
  } else {
    finish_rows(args, scratch, rows);
  }
}

INLINE void packed_task(const AttentionArgs* args, const Scratch* scratch, const RowTile* rows, const Part* part) {
  begin_task(args, scratch, rows);
  for (int64_t index = part->first; index < part->end; ++index) {
    const KeyTile keys = key_tile_of(args, index);
    const int tile_class = class_of(args, rows, &keys);
    if (tile_class != TILE_EMPTY) {
      packed_key_tile(args, scratch, rows, &keys, tile_class);
    }
  }
  end_task(args, scratch, rows, part);
}

/* All KV heads of a row tile: `base` holds a scratch for each. */
INLINE void streamed_task(const AttentionArgs* args, float* base, const RowTile* first_head, const Part* part) {
  RowTile rows = *first_head;
  const int64_t heads = task_heads(args);
  for (rows.head_kv = 0; rows.head_kv < heads; ++rows.head_kv) {
    const Scratch scratch = scratch_at(base + rows.head_kv * scratch_floats());
    begin_task(args, &scratch, &rows);
  }
  for (int64_t index = part->first; index < part->end; ++index) {
    const KeyTile keys = key_tile_of(args, index);
    const int tile_class = class_of(args, &rows, &keys);
    if (tile_class == TILE_EMPTY) {
      continue;
    }
    for (rows.head_kv = 0; rows.head_kv < heads; ++rows.head_kv) {
      const Scratch scratch = scratch_at(base + rows.head_kv * scratch_floats());
      const int last = rows.head_kv + 1 == heads;
      streamed_key_tile(args, &scratch, &rows, &keys, tile_class, last ? 0 : rows.head_kv + 1,
                        last ? keys.first + TILE_N : keys.first);
    }
  }
  for (rows.head_kv = 0; rows.head_kv < heads; ++rows.head_kv) {
    const Scratch scratch = scratch_at(base + rows.head_kv * scratch_floats());
    end_task(args, &scratch, &rows, part);
  }
}

/* Eight tile registers of 16 rows of 64 bytes (Intel SDM, LDTILECFG, palette 1). */
typedef struct TileConfig {
  uint8_t palette;
  uint8_t start_row;
  uint8_t reserved[14];
  uint16_t bytes_a_row[16];
  uint8_t rows[16];
} TileConfig;

INLINE void begin_tiles(void) {
  TileConfig config __attribute__((aligned(64))) = {.palette = 1};
  for (int tile = 0; tile < 8; ++tile) {
    config.bytes_a_row[tile] = 64;
    config.rows[tile] = 16;
  }
  attentune_tile_begin(&config);
}

/* The launch before attentune_forward where PACK_WHOLE: tasks in [0, batch * heads_kv * ceil(len_kv / TILE_N)), a key
 * tile each, into workspace 0. */
void attentune_pack(const AttentionArgs* args, int64_t task_begin, int64_t task_end) {
  if (PACK != PACK_WHOLE) {
    return;
  }
  const int64_t tiles = key_tiles(args);
  for (int64_t task = task_begin; task < task_end; ++task) {
    const int64_t head_kv = task % args->heads_kv; /* rows of all heads lie side by side */
    const int64_t batch = task / args->heads_kv / tiles;
    const KeyTile keys = key_tile_of(args, task / args->heads_kv % tiles);
    float* to = packed_tile(args->workspace[0], args, batch, head_kv, keys.index);
    pack_k(args, batch, head_kv, keys.first, keys.keys, to);
    pack_v(args, batch, head_kv, keys.first, keys.keys, to + k_tile_floats());
  }
}

/* Workspace 0 is the worker's scratch; 1, where keys are split, the rows of all parts; 2, where PACK_WHOLE, what
 * attentune_pack wrote. Tasks in [0, batch * heads_kv / task_heads * ceil(len_q * GROUP / TILE_M) * split). */
void attentune_forward(const AttentionArgs* args, int64_t task_begin, int64_t task_end) {
  const Scratch scratch = scratch_at((float*)args->workspace[0]);
  if (PRODUCT == PRODUCT_TILE) {
    begin_tiles();
  }
  for (int64_t task = task_begin; task < task_end; ++task) {
    const RowTile rows = row_tile_of(args, task / splits(args));
    const Part part = part_of(args, task % splits(args));
    if (PACK == PACK_NONE) {
      streamed_task(args, (float*)args->workspace[0], &rows, &part);
    } else {
      packed_task(args, &scratch, &rows, &part);
    }
  }
  if (PRODUCT == PRODUCT_TILE) {
    attentune_tile_end();
  }
}

/* The launch after attentune_forward where keys are split, a row a task: tasks in [0, batch * heads_q * len_q).
 * Workspace 0 is what the parts left. */
void attentune_combine(const AttentionArgs* args, int64_t task_begin, int64_t task_end) {
  for (int64_t row = task_begin; row < task_end; ++row) {
    combine_row(args, args->workspace[0], row);
  }
}
