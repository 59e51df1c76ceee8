/* What a task is: a row tile of one KV head, and a part of the keys. */
#ifndef ATTENTUNE_HOST_TASKS_H
#define ATTENTUNE_HOST_TASKS_H

#include "templates/attention_args.h"
#include "templates/host/constants.h"
#include "templates/host/mask.h"
#include "templates/host/rows.h"
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

/* Key tiles [first, end) of the split's part number `index`. */
typedef struct Part {
  int64_t index;
  int64_t first;
  int64_t end;
} Part;

INLINE int64_t ceil_div(int64_t a, int64_t b) { return (a + b - 1) / b; }
INLINE int64_t row_tiles(const AttentionArgs* args) { return ceil_div(args->len_q * GROUP, TILE_M); }
INLINE int64_t key_tiles(const AttentionArgs* args) { return ceil_div(args->len_kv, TILE_N); }
INLINE int64_t splits(const AttentionArgs* args) { return args->launch_choices[CHOICE_SPLIT]; }

/* KV heads of a task. Rows of K and V of all heads lie side by side: where they are read in place, one task takes all
 * heads tile by tile, so that memory is walked in its own order. */
INLINE int64_t task_heads(const AttentionArgs* args) { return PACK == PACK_NONE ? args->heads_kv : 1; }

/* Under causal masks late rows see most keys: they come first, so the longest tasks are not the last to start. */
INLINE RowTile row_tile_of(const AttentionArgs* args, int64_t task) {
  const int64_t tiles = row_tiles(args);
  const int64_t all_rows = args->len_q * GROUP;
  const int64_t heads = args->heads_kv / task_heads(args);
  RowTile tile;
  tile.batch = task / tiles / heads;
  tile.head_kv = task / tiles % heads;
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

/* Equal parts, a multiple of one key tile each; the last ones may be empty. */
INLINE Part part_of(const AttentionArgs* args, int64_t index) {
  const int64_t tiles = key_tiles(args);
  const int64_t each = ceil_div(tiles, splits(args));
  Part part;
  part.index = index;
  part.first = index * each < tiles ? index * each : tiles;
  part.end = part.first + each < tiles ? part.first + each : tiles;
  return part;
}

INLINE int class_of(const AttentionArgs* args, const RowTile* rows, const KeyTile* keys) {
  if (!HAS_MASK) {
    return TILE_FULL;
  }
  const int64_t shift = args->len_kv - args->len_q;
  return attentune_classify(query_of(rows->first) + shift, query_of(rows->first + rows->rows - 1) + shift, keys->first,
                            keys->first + keys->keys - 1, args->mask_arguments);
}

/* Rows that whole micro-kernels and whole groups of 16 rows of the softmax divide. */
INLINE int64_t row_group(void) {
  int64_t rows = MICRO_ROWS;
  while (rows % LANES != 0) {
    rows += MICRO_ROWS;
  }
  return rows;
}

/* The most of them in a row tile. */
enum { MAX_ROW_GROUPS = MAX_TILE_M / LANES };

/* A key tile without the panels at its ends that none of the rows see. */
INLINE KeyTile visible_keys(const AttentionArgs* args, const RowTile* rows, const KeyTile* keys) {
  const int64_t width = MICRO_VECTORS * LANES;
  KeyTile seen = *keys;
  while (seen.keys > 0) {
    const int64_t last = (seen.keys - 1) / width * width;
    const KeyTile panel = {keys->index, seen.first + last, seen.keys - last};
    if (class_of(args, rows, &panel) != TILE_EMPTY) {
      break;
    }
    seen.keys = last;
  }
  while (seen.keys > width) {
    const KeyTile panel = {keys->index, seen.first, width};
    if (class_of(args, rows, &panel) != TILE_EMPTY) {
      break;
    }
    seen.first += width;
    seen.keys -= width;
  }
  return seen;
}

/* The row group that begins at row `first` of the tile. */
INLINE RowTile row_group_at(const RowTile* rows, int64_t first) {
  const int64_t rest = rows->rows - first;
  const RowTile group = {rows->batch, rows->head_kv, rows->first + first, rest < row_group() ? rest : row_group()};
  return group;
}

/* What each row group sees of a key tile: half of a causal diagonal is nobody's. */
INLINE void keys_by_group(const AttentionArgs* args, const RowTile* rows, const KeyTile* keys, int tile_class,
                          KeyTile seen[MAX_ROW_GROUPS]) {
  for (int64_t first = 0; first < rows->rows; first += row_group()) {
    const RowTile group = row_group_at(rows, first);
    seen[first / row_group()] = HAS_MASK && tile_class == TILE_PARTIAL ? visible_keys(args, &group, keys) : *keys;
  }
}

#endif
