/* The two products of a packed key tile, panel by panel. */
#ifndef ATTENTUNE_HOST_PRODUCTS_H
#define ATTENTUNE_HOST_PRODUCTS_H

#include "templates/host/constants.h"
#include "templates/host/micro_kernel.h"
#include "templates/host/scratch.h"
#include "templates/host/tasks.h"
#include "templates/host/vector.h"

/* A key tile as the products read it. */
typedef struct Operands {
  const float* k;   /* packed */
  const float* v;   /* packed, or V itself at the tile's first key */
  int64_t v_stride; /* floats between the keys of V itself */
} Operands;

/* While the rows pass one panel, the next one comes from the farther caches: packed panels of a whole call follow one
 * another in memory, so it begins where this one ends. The row block at r of `rows` asks for its share of the panel's
 * floats. */
INLINE Ahead share_of(const float* next, int64_t floats, int64_t r, int64_t rows) {
  const int64_t lines = PACK == PACK_WHOLE ? floats / LANES : 0;
  const int64_t all = PRODUCT == PRODUCT_TILE ? TILE_M : rows; /* a constant share is a constant number of requests */
  const int64_t end = r + MICRO_ROWS < all ? r + MICRO_ROWS : all;
  const int64_t begin = lines * r / all;
  const Ahead ahead = {next + begin * LANES,
                       PRODUCT == PRODUCT_TILE ? lines * MICRO_ROWS / TILE_M : lines * end / all - begin};
  return ahead;
}

/* S = Q K^T: a panel of K stays in the first-level cache while all rows that see it pass. A row group's S begins with
 * the first key it sees. */
INLINE void multiply_qk(const Scratch* scratch, int64_t rows, const KeyTile* keys, const KeyTile* seen,
                        const Operands* operands) {
  const int64_t panel = MICRO_VECTORS * LANES;
  const int64_t depth = PRODUCT == PRODUCT_TILE ? padded(qk_steps()) : qk_steps();
  const int64_t key_floats = qk_floats(terms_of(K_DTYPE));
  for (int64_t j = 0; j < keys->keys; j += panel) {
    const float* const begin = operands->k + j * key_floats;
    for (int64_t r = 0; r < rows; r += MICRO_ROWS) {
      const KeyTile* group = &seen[r / row_group()];
      const int64_t skipped = group->first - keys->first;
      if (j >= skipped && j < skipped + group->keys) {
        micro_kernel(MICRO_ROWS, MICRO_VECTORS, depth, qk_terms(), scratch->q + r * q_stride(), q_stride(), begin,
                     panel, scratch->s + r * s_stride() + j - skipped, s_stride(), 0,
                     share_of(begin + panel * key_floats, panel * key_floats, r, rows));
      }
    }
  }
}

/* O = alpha O + P V, for the panel of `vectors` vectors of d_v that begins at vector `first`. */
INLINE void multiply_pv_panel(const Scratch* scratch, int64_t rows, const KeyTile* keys, const KeyTile* seen,
                              const Operands* operands, int64_t first, int vectors) {
  const int64_t tile_steps = TILE_N / step_elements() * terms_of(V_DTYPE);
  const float* v = operands->v + (PACK == PACK_K ? first : first * tile_steps) * LANES;
  const int64_t v_stride = PACK == PACK_K ? operands->v_stride : vectors * LANES;
  for (int64_t r = 0; r < rows; r += MICRO_ROWS) {
    const KeyTile* group = &seen[r / row_group()];
    const int64_t skipped = steps_of(group->first - keys->first) * terms_of(V_DTYPE);
    const int64_t steps = steps_of(group->keys);
    if (group->keys > 0) {
      micro_kernel(MICRO_ROWS, vectors, PRODUCT == PRODUCT_TILE ? padded(steps) : steps, pv_terms(),
                   scratch->p + r * s_stride(), s_stride(), v + skipped * v_stride, v_stride,
                   scratch->o + r * o_stride() + first * LANES, o_stride(), scratch->alpha + r,
                   share_of(v + tile_steps * vectors * LANES, tile_steps * vectors * LANES, r, rows));
    }
  }
}

INLINE void multiply_pv(const Scratch* scratch, int64_t rows, const KeyTile* keys, const KeyTile* seen,
                        const Operands* operands) {
  const int64_t vectors = vectors_of(o_columns());
  const int64_t whole = vectors / MICRO_VECTORS * MICRO_VECTORS;
  const int tail = (int)(vectors - whole);
  for (int64_t first = 0; first < whole; first += MICRO_VECTORS) {
    multiply_pv_panel(scratch, rows, keys, seen, operands, first, MICRO_VECTORS);
  }
  if (tail != 0) {
    multiply_pv_panel(scratch, rows, keys, seen, operands, whole, tail);
  }
}

/* AMX multiplies and adds, nothing else: rows whose maximum rose are scaled here. Most are not, after the first few
 * tiles. */
INLINE void rescale_rows(const Scratch* scratch, int64_t rows) {
  for (int64_t r = 0; r < rows; ++r) {
    if (scratch->alpha[r] != 1.0f) {
      float* o = scratch->o + r * o_stride();
      for (int64_t i = 0; i < o_columns(); i += LANES) {
        store(o + i, load(o + i) * splat(scratch->alpha[r]));
      }
    }
  }
}

#endif
