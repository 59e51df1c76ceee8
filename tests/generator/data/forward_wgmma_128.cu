// attentune forward_wgmma
// class:  dtype=bf16 group=4 head_dim=128 mask=causal() outputs=out,lse
// arch:   sm_90a
// config: tile_m=128 pack=no tile_n=128 stages_k=2 stages_v=2 overlap=yes turns=no rescale=late store=threads
// By hand: nvcc -cubin -arch=sm_90a FILE.cu
enum : int {
  TILE_M = 128,
  TILE_N = 128,
  STAGES_K = 2,
  STAGES_V = 2,
  OVERLAP = 1,
  TAKE_TURNS = 0,
  RESCALE_LAZY = 0,
  STORE_BY_COPY = 0,
  PRODUCER_REGISTERS = 24,
  CONSUMER_REGISTERS = 240,
  PACK = 1,
};
enum : int {
  GROUP = 4,
  HEAD_DIM_QK = 128,
  HEAD_DIM_V = 128,
  IS_BF16 = 1,
  HAS_LSE = 1,
  HAS_SINK_LOGIT = 0,
  HAS_SCORE = 0,
  KEY_RUNS = 1,
};

// ---- attention_args.h

// ---- cuda/types.cuh

// ---- cuda/math.cuh

// ---- cuda/mask.cuh

// ---- cuda/score.cuh

// ---- generated from the problem
// The mask causal(), for one score (Position) or a tile of them (KeyTile).
template <class At>
INLINE auto visible(const AttentionArgs& args, const At& at) {
  return causal(at);
}

// The keys rows `at` may see, as KEY_RUNS contiguous runs.
INLINE KeyRun visible_run(const AttentionArgs& args, const Rows& at, int run) {
  return causal(at);
}

// The score function score.
INLINE float score(float s) { return s; }

// S = Q K^T: 64 rows by TILE_N keys, 16 columns of Q and K.
template <int ACCUMULATE>
INLINE void wgmma_qk(float (&d)[16][4], u64 a, u64 b) {
  asm volatile(
      "{\n\t"
      ".reg .pred accumulate;\n\t"
      "setp.ne.b32 accumulate, %66, 0;\n\t"
      "wgmma.mma_async.sync.aligned.m64n128k16.f32.bf16.bf16 {"
      "%0, %1, %2, %3, %4, %5, %6, %7, "
      "%8, %9, %10, %11, %12, %13, %14, %15, "
      "%16, %17, %18, %19, %20, %21, %22, %23, "
      "%24, %25, %26, %27, %28, %29, %30, %31, "
      "%32, %33, %34, %35, %36, %37, %38, %39, "
      "%40, %41, %42, %43, %44, %45, %46, %47, "
      "%48, %49, %50, %51, %52, %53, %54, %55, "
      "%56, %57, %58, %59, %60, %61, %62, %63"
      "}, %64, %65, accumulate, 1, 1, 0, 0;\n\t"
      "}"
      : "+f"(d[0][0]), "+f"(d[0][1]), "+f"(d[0][2]), "+f"(d[0][3]),
        "+f"(d[1][0]), "+f"(d[1][1]), "+f"(d[1][2]), "+f"(d[1][3]),
        "+f"(d[2][0]), "+f"(d[2][1]), "+f"(d[2][2]), "+f"(d[2][3]),
        "+f"(d[3][0]), "+f"(d[3][1]), "+f"(d[3][2]), "+f"(d[3][3]),
        "+f"(d[4][0]), "+f"(d[4][1]), "+f"(d[4][2]), "+f"(d[4][3]),
        "+f"(d[5][0]), "+f"(d[5][1]), "+f"(d[5][2]), "+f"(d[5][3]),
        "+f"(d[6][0]), "+f"(d[6][1]), "+f"(d[6][2]), "+f"(d[6][3]),
        "+f"(d[7][0]), "+f"(d[7][1]), "+f"(d[7][2]), "+f"(d[7][3]),
        "+f"(d[8][0]), "+f"(d[8][1]), "+f"(d[8][2]), "+f"(d[8][3]),
        "+f"(d[9][0]), "+f"(d[9][1]), "+f"(d[9][2]), "+f"(d[9][3]),
        "+f"(d[10][0]), "+f"(d[10][1]), "+f"(d[10][2]), "+f"(d[10][3]),
        "+f"(d[11][0]), "+f"(d[11][1]), "+f"(d[11][2]), "+f"(d[11][3]),
        "+f"(d[12][0]), "+f"(d[12][1]), "+f"(d[12][2]), "+f"(d[12][3]),
        "+f"(d[13][0]), "+f"(d[13][1]), "+f"(d[13][2]), "+f"(d[13][3]),
        "+f"(d[14][0]), "+f"(d[14][1]), "+f"(d[14][2]), "+f"(d[14][3]),
        "+f"(d[15][0]), "+f"(d[15][1]), "+f"(d[15][2]), "+f"(d[15][3])
      : "l"(a), "l"(b), "n"(ACCUMULATE));
}

// O += P V: 64 rows by HEAD_DIM_V columns, 16 keys; P from registers.
template <int ACCUMULATE>
INLINE void wgmma_pv(float (&d)[16][4], const u32 (&a)[4], u64 b) {
  asm volatile(
      "{\n\t"
      ".reg .pred accumulate;\n\t"
      "setp.ne.b32 accumulate, %69, 0;\n\t"
      "wgmma.mma_async.sync.aligned.m64n128k16.f32.bf16.bf16 {"
      "%0, %1, %2, %3, %4, %5, %6, %7, "
      "%8, %9, %10, %11, %12, %13, %14, %15, "
      "%16, %17, %18, %19, %20, %21, %22, %23, "
      "%24, %25, %26, %27, %28, %29, %30, %31, "
      "%32, %33, %34, %35, %36, %37, %38, %39, "
      "%40, %41, %42, %43, %44, %45, %46, %47, "
      "%48, %49, %50, %51, %52, %53, %54, %55, "
      "%56, %57, %58, %59, %60, %61, %62, %63"
      "}, {%64, %65, %66, %67}, %68, accumulate, 1, 1, 1;\n\t"
      "}"
      : "+f"(d[0][0]), "+f"(d[0][1]), "+f"(d[0][2]), "+f"(d[0][3]),
        "+f"(d[1][0]), "+f"(d[1][1]), "+f"(d[1][2]), "+f"(d[1][3]),
        "+f"(d[2][0]), "+f"(d[2][1]), "+f"(d[2][2]), "+f"(d[2][3]),
        "+f"(d[3][0]), "+f"(d[3][1]), "+f"(d[3][2]), "+f"(d[3][3]),
        "+f"(d[4][0]), "+f"(d[4][1]), "+f"(d[4][2]), "+f"(d[4][3]),
        "+f"(d[5][0]), "+f"(d[5][1]), "+f"(d[5][2]), "+f"(d[5][3]),
        "+f"(d[6][0]), "+f"(d[6][1]), "+f"(d[6][2]), "+f"(d[6][3]),
        "+f"(d[7][0]), "+f"(d[7][1]), "+f"(d[7][2]), "+f"(d[7][3]),
        "+f"(d[8][0]), "+f"(d[8][1]), "+f"(d[8][2]), "+f"(d[8][3]),
        "+f"(d[9][0]), "+f"(d[9][1]), "+f"(d[9][2]), "+f"(d[9][3]),
        "+f"(d[10][0]), "+f"(d[10][1]), "+f"(d[10][2]), "+f"(d[10][3]),
        "+f"(d[11][0]), "+f"(d[11][1]), "+f"(d[11][2]), "+f"(d[11][3]),
        "+f"(d[12][0]), "+f"(d[12][1]), "+f"(d[12][2]), "+f"(d[12][3]),
        "+f"(d[13][0]), "+f"(d[13][1]), "+f"(d[13][2]), "+f"(d[13][3]),
        "+f"(d[14][0]), "+f"(d[14][1]), "+f"(d[14][2]), "+f"(d[14][3]),
        "+f"(d[15][0]), "+f"(d[15][1]), "+f"(d[15][2]), "+f"(d[15][3])
      : "r"(a[0]), "r"(a[1]), "r"(a[2]), "r"(a[3]), "l"(b), "n"(ACCUMULATE));
}

// ---- cuda/warpgroup_shape.cuh

// ---- cuda/fragments.cuh

// ---- cuda/shared_memory.cuh

// ---- cuda/ring.cuh

// ---- cuda/mbarrier.cuh

// ---- cuda/watchdog.cuh

// ---- cuda/named_barriers.cuh

// ---- cuda/bar_sync.cuh

// ---- cuda/tma.cuh

// ---- cuda/wgmma.cuh

// ---- cuda/matrix_descriptor.cuh

// ---- cuda/slabs.cuh

// ---- cuda/pipeline.cuh

// ---- cuda/warp_roles.cuh

// ---- cuda/key_steps.cuh

// ---- cuda/block_memory.cuh

// ---- cuda/warp_place.cuh

// ---- cuda/rows.cuh

// ---- cuda/work_item.cuh

// ---- cuda/map_place.cuh

// ---- cuda/persistent_items.cuh

// ---- cuda/tile_sequence.cuh

// ---- cuda/produce_tiles.cuh

// ---- cuda/warpgroup_products.cuh

// ---- cuda/warpgroup_turns.cuh

// ---- cuda/softmax.cuh

// ---- cuda/lazy_rescale.cuh

// ---- cuda/row_end.cuh

// ---- cuda/quad_transpose.cuh

// ---- cuda/store_partial.cuh

// ---- cuda/store_fragments.cuh

// ---- cuda/store_copies.cuh

// ---- cuda/consume_tiles.cuh

// ---- cuda/forward_wgmma.cuh

// ---- cuda/combine_splits.cuh
