/* Functions the generator appends as text, from the mask and score expressions of the Problem (generator/expression.h,
 * reading 3). i is the query row plus shift = len_kv - len_q. */
#ifndef ATTENTUNE_HOST_MASK_H
#define ATTENTUNE_HOST_MASK_H

#include <stdint.h>

extern _Bool attentune_visible(int64_t i, int64_t j, const int64_t* arguments);
extern int attentune_classify(int64_t i_first, int64_t i_last, int64_t j_first, int64_t j_last,
                              const int64_t* arguments);
extern float attentune_score(float score);

enum TileClass { TILE_EMPTY, TILE_PARTIAL, TILE_FULL };

#endif
