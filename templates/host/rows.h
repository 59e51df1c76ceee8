/* Packed GQA: row r of a KV head is query r / GROUP of the group's head r % GROUP, so a group shares its K and V tiles.
 */
#ifndef ATTENTUNE_HOST_ROWS_H
#define ATTENTUNE_HOST_ROWS_H

#include "templates/host/constants.h"
#include "templates/host/vector.h"

INLINE int64_t query_of(int64_t row) { return row / GROUP; }
INLINE int64_t head_of(int64_t row, int64_t head_kv) { return head_kv * GROUP + row % GROUP; }

#endif
