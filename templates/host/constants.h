/* What a kernel is specialized by. The template reads these as memory; the generator turns each into
 * `internal constant i32 <value>` and the optimizer folds the loads, so loops over them have fixed trip counts. */
#ifndef ATTENTUNE_HOST_CONSTANTS_H
#define ATTENTUNE_HOST_CONSTANTS_H

/* Config: rows and keys of a tile, the micro-kernel's rows and vectors of 16. */
extern const int TILE_M;
extern const int TILE_N;
extern const int MICRO_ROWS;
extern const int MICRO_VECTORS;
extern const int PACK; /* an enum Pack */

/* Problem: the class fields. */
extern const int HEAD_DIM_QK;
extern const int HEAD_DIM_V;
extern const int GROUP;   /* query heads per KV head */
extern const int Q_DTYPE; /* an enum Dtype */
extern const int K_DTYPE;
extern const int V_DTYPE;
extern const int OUT_DTYPE;
extern const int HAS_LSE;
extern const int HAS_SINK_LOGIT;
extern const int HAS_MASK;
extern const int HAS_SCORE;

/* Arch: hardware converts between f16 and f32 (x86 F16C, every AArch64). */
extern const int NATIVE_F16;

/* Who packs a key tile: each task K and V; each task K, while V is read where it is (f32, whole vectors); or a launch
 * of its own packs every tile of the call once, for all tasks. */
enum Pack { PACK_TASK, PACK_K, PACK_WHOLE };

enum Dtype { DTYPE_F32, DTYPE_F16, DTYPE_BF16 };

/* Bounds of the arrays that hold a micro-kernel's registers. */
enum { MAX_MICRO_ROWS = 16, MAX_MICRO_VECTORS = 8 };

#endif
