/* What a kernel is specialized by. The template reads these as memory; the generator turns each into
 * `internal constant i32 <value>` and the optimizer folds the loads, so loops over them have fixed trip counts. */
#ifndef ATTENTUNE_HOST_CONSTANTS_H
#define ATTENTUNE_HOST_CONSTANTS_H

/* Config: rows and keys of a tile, the micro-kernel's rows and vectors of 16, its steps between two branches. */
extern const int TILE_M;
extern const int TILE_N;
extern const int MICRO_ROWS;
extern const int MICRO_VECTORS;
extern const int STEPS;
extern const int PACK;    /* an enum Pack */
extern const int PRODUCT; /* an enum Product */

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

/* Arch: hardware converts between f16 and f32 (x86 F16C, every AArch64), rounds f32 to bf16 (AVX512-BF16), and takes
 * numbers apart at the exponent (AVX-512 DQ: vreduceps, vscalefps). */
extern const int NATIVE_F16;
extern const int NATIVE_BF16;
extern const int NATIVE_SCALE;

/* Who packs a key tile: each task K and V; each task K, while V is read where it is (f32, whole vectors); a launch of
 * its own packs every tile of the call once, for all tasks; or nobody, and both are read where they are (stream.h). */
enum Pack { PACK_TASK, PACK_K, PACK_WHOLE, PACK_NONE };

/* What multiplies: f32 FMA; AVX512-BF16 vdpbf16ps, a vector of pairs; AMX-BF16 tdpbf16ps, a 16 x 16 tile of pairs (of
 * terms, where numbers are no bf16: terms.h). */
enum Product { PRODUCT_FMA, PRODUCT_DOT, PRODUCT_TILE };

enum Dtype { DTYPE_F32, DTYPE_F16, DTYPE_BF16 };

/* Places in AttentionArgs::launch_choices. */
enum { CHOICE_GRAIN, CHOICE_SPLIT };

/* Bounds of the arrays that hold a micro-kernel's registers. */
enum { MAX_MICRO_ROWS = 16, MAX_MICRO_VECTORS = 8 };
/* The largest TILE_M and head dim (generator/forward_host.cpp), and five of the six tiles that qk_tail may save. */
enum { MAX_TILE_M = 384, MAX_STREAM_DIM = 576, MAX_TAIL_STEPS = 5 * 16 };

#endif
