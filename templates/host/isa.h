/* Instructions C has no word for. The generator appends their definitions where the Arch has them
 * (generator/host_isa.h); elsewhere no path that calls them is left after the constants are folded. Vectors travel by
 * address, because C passes them differently on every CPU. */
#ifndef ATTENTUNE_HOST_ISA_H
#define ATTENTUNE_HOST_ISA_H

#include "templates/host/vector.h"

/* NATIVE_SCALE: x - floor(x), 0 for infinities; p * 2^floor(x), 0 for x = -inf. */
extern void attentune_fraction(vec* x);
extern void attentune_scale(vec* p, const vec* x);

/* PRODUCT_DOT: sum += the products of 16 pairs of bf16. */
extern void attentune_dot_bf16(vec* sum, const vec* a, const vec* b);

/* PRODUCT_TILE: the eight AMX tile registers as 2 x 2 sums of 16 x 16 f32 (tiles 0 to 3), two tiles of A, two of B.
 * Strides in bytes. */
extern void attentune_tile_begin(const void* config);
extern void attentune_tile_end(void);
extern void attentune_tile_zero(void);
extern void attentune_tile_load(const float* c, int64_t stride);
extern void attentune_tile_store(float* c, int64_t stride);
extern void attentune_tile_step(const float* a, int64_t a_stride, const float* b, int64_t b_stride);

#endif
