// attentune forward_mma
// class:  dtype=f16 group=4 head_dim=80/72 mask=causal()&(window(_,_)|sink(_)) score=softcap(30) outputs=out,lse sink_logit=yes
// arch:   sm_89
// config: tile_m=64 tile_n=64 warps=4x1 stages=2 q=registers pack=yes swizzle=xor min_blocks=1
// By hand: nvcc -cubin -arch=sm_89 FILE.cu
enum : int {
  TILE_M = 64,
  TILE_N = 64,
  WARPS_M = 4,
  WARPS_N = 1,
  STAGES = 2,
  MIN_BLOCKS = 1,
  Q_IN_REGISTERS = 1,
  PADDED = 0,
  PACK = 4,
};
enum : int {
  GROUP = 4,
  HEAD_DIM_QK = 80,
  HEAD_DIM_V = 72,
  IS_BF16 = 0,
  HAS_LSE = 1,
  HAS_SINK_LOGIT = 1,
  HAS_SCORE = 1,
  KEY_RUNS = 2,
};

// ---- attention_args.h
/* AttentionArgs: one attention call as every kernel sees it, host and GPU alike (plain C, no include but integers).
 *
 * Logical order: Q [batch, len_q, heads_q, head_dim_qk], K/V [batch, len_kv, heads_kv, d], out [batch, len_q, heads_q,
 * head_dim_v], lse [batch, heads_q, len_q]. The innermost dimension of Q, K, V, out is contiguous; strides are in
 * elements. Whatever a call does not use is null or zero.
 *
 * GPU kernels take it by value; NVRTC compiles this text as part of theirs. */
#ifndef ATTENTUNE_ATTENTION_ARGS_H
#define ATTENTUNE_ATTENTION_ARGS_H

#ifdef __CUDACC_RTC__
typedef long long int64_t; /* NVRTC has no headers of its own */
#else
#include <stdint.h>
#endif

enum { ATTENTUNE_MASK_SLOTS = 8, ATTENTUNE_WORKSPACE_SLICES = 8 };

typedef struct AttentionArgs {
  const void* q;
  const void* k;
  const void* v;
  const float* sink_logit; /* [heads_q] */
  void* out;
  float* lse;
  void* workspace[ATTENTUNE_WORKSPACE_SLICES]; /* the LaunchRule's slices, in order; garbage on entry */
  int64_t q_stride[3];                         /* batch, row, head */
  int64_t k_stride[3];
  int64_t v_stride[3];
  int64_t out_stride[3];
  int64_t lse_stride[3]; /* batch, head, row */
  int64_t batch;
  int64_t heads_q;
  int64_t heads_kv;
  int64_t len_q;
  int64_t len_kv;
  int64_t mask_arguments[ATTENTUNE_MASK_SLOTS]; /* in slot order of the mask's structure */
  int64_t launch_choices[4];                    /* integer launch choices, in Config order */
  float scale;
  float reserved;
  /* Of GPU kernels compiled with a watchdog: 8 bytes that outlive a trap, else null. A kernel that gives up a wait
   * writes there, from bit 0 up: its block's number (32 bits), the warp's number in the block (8), the ring of tiles it
   * waited at, 'Q', 'K' or 'V' (8), the stage of the ring (8), the parity (1), and whether it waited for the stage to
   * be full or to be empty (1, 0). */
  unsigned long long* watchdog_report;
} AttentionArgs;

#endif

// ---- cuda/types.cuh
// The vocabulary of every file below. Nothing is included: the text compiles under NVRTC and nvcc as it stands.
using u32 = unsigned int;
using u64 = unsigned long long;
using i64 = long long;

#define INLINE __device__ __forceinline__

// `value`, in such a way that nothing computed from it is known before: what is needed on few paths is then computed
// there, and not kept in registers through the whole loop. Registers are what limits these kernels.
INLINE int computed_here(int value) {
  asm volatile("" : "+r"(value));
  return value;
}

// ---- cuda/math.cuh
// Approximate instructions, by assembly: exp2f() and its like would cost several times as many without -use_fast_math.

// ex2.approx.ftz: at most 2 ulp; -inf gives 0 (PTX ISA 9.7.3.21).
INLINE float exp2_approx(float x) {
  float y;
  asm("ex2.approx.ftz.f32 %0, %1;" : "=f"(y) : "f"(x));
  return y;
}

// lg2.approx.ftz: absolute error 2^-22 near 1, relative 2^-22 elsewhere (PTX ISA 9.7.3.20).
INLINE float log2_approx(float x) {
  float y;
  asm("lg2.approx.ftz.f32 %0, %1;" : "=f"(y) : "f"(x));
  return y;
}

// rcp.approx.ftz: at most 1 ulp (PTX ISA 9.7.3.13).
INLINE float reciprocal_approx(float x) {
  float y;
  asm("rcp.approx.ftz.f32 %0, %1;" : "=f"(y) : "f"(x));
  return y;
}

INLINE float minus_infinity() { return __int_as_float(0xff800000); }
INLINE float log2_e() { return 1.4426950408889634f; }
INLINE float ln_2() { return 0.6931471805599453f; }

// Two floats rounded to the 16-bit type of the tensors; the first source of the instruction is the high half.
INLINE u32 pack_16bit(float low, float high) {
  u32 packed;
  if constexpr (IS_BF16) {
    asm("cvt.rn.bf16x2.f32 %0, %1, %2;" : "=r"(packed) : "f"(high), "f"(low));
  } else {
    asm("cvt.rn.f16x2.f32 %0, %1, %2;" : "=r"(packed) : "f"(high), "f"(low));
  }
  return packed;
}

// ---- cuda/mask.cuh
// What the helpers of a mask expression mean in three readings: for one score, for a tile of scores, and for all the
// keys a range of rows may see. The generator prints the expression over them (visible, visible_run).
//
// Rows are counted with the shift len_kv - len_q, so causal() shows key j to row i iff j <= i.

enum : int {
  FARTHEST = 1 << 30,  // beyond any distance of a row and a key: lengths are at most 10^9
};

// A mask argument; one that hides nothing more than FARTHEST becomes FARTHEST.
INLINE int argument(const AttentionArgs& args, int slot) {
  const i64 value = args.mask_arguments[slot];
  return value < FARTHEST ? (int)value : FARTHEST;
}

// Reading 1: one score. The distance is i - j, so that comparing it with a constant folds into that of the column.
struct Position {
  int distance;
  int key;
};

// Both sides are values already: no branch a score, but a predicate (`a & b` would be 16-bit integers).
INLINE bool both(bool a, bool b) { return a ? b : false; }
INLINE bool either(bool a, bool b) { return a ? true : b; }
INLINE bool everything(const Position&) { return true; }
INLINE bool causal(const Position& at) { return at.distance >= 0; }
INLINE bool window(const Position& at, int left, int right) { return both(at.distance <= left, at.distance >= -right); }
INLINE bool sink(const Position& at, int count) { return at.key < count; }

// Reading 2: rows [i_first, i_last] by keys [j_first, j_last]. Conservative: PARTIAL is always allowed. both() and
// either() are those of Kleene's logic over EMPTY < PARTIAL < FULL.
enum TileClass : int { EMPTY, PARTIAL, FULL };

struct KeyTile {
  int i_first, i_last;
  int j_first, j_last;
};

INLINE TileClass both(TileClass a, TileClass b) { return a < b ? a : b; }
INLINE TileClass either(TileClass a, TileClass b) { return a < b ? b : a; }
INLINE TileClass class_of(bool some, bool every) { return every ? FULL : some ? PARTIAL : EMPTY; }

INLINE TileClass everything(const KeyTile&) { return FULL; }
INLINE TileClass causal(const KeyTile& tile) {
  return class_of(tile.j_first <= tile.i_last, tile.j_last <= tile.i_first);
}
INLINE TileClass window(const KeyTile& tile, int left, int right) {
  const int nearest = tile.j_first - tile.i_last;
  const int farthest = tile.j_last - tile.i_first;
  return class_of(farthest >= -left && nearest <= right, nearest >= -left && farthest <= right);
}
INLINE TileClass sink(const KeyTile& tile, int count) { return class_of(tile.j_first < count, tile.j_last < count); }

// Reading 3: a contiguous run of keys that contains every key a row of [i_first, i_last] sees; empty if last < first.
struct Rows {
  int i_first, i_last;
};

struct KeyRun {
  int first, last;
};

INLINE KeyRun both(KeyRun a, KeyRun b) { return {max(a.first, b.first), min(a.last, b.last)}; }
// One run around both: for masks of more runs than are walked.
INLINE KeyRun either(KeyRun a, KeyRun b) {
  if (a.last < a.first) {
    return b;
  }
  return b.last < b.first ? a : KeyRun{min(a.first, b.first), max(a.last, b.last)};
}

INLINE KeyRun everything(const Rows&) { return {0, FARTHEST}; }
INLINE KeyRun causal(const Rows& rows) { return {0, rows.i_last}; }
INLINE KeyRun window(const Rows& rows, int left, int right) { return {rows.i_first - left, rows.i_last + right}; }
INLINE KeyRun sink(const Rows&, int count) { return {0, count - 1}; }

// ---- cuda/score.cuh
// Helpers of score expressions.

// cap * tanh(s / cap). Far from 0, tanh(x) = 1 - 2 / (exp(2 x) + 1): the exponent may overflow to infinity or vanish,
// both give the limit. Near 0 that would lose relative accuracy, so a polynomial serves there:
// tanh(x) = x + x^3 P(x^2) for |x| < 0.625, minimax by Remez exchange, relative error 4.4e-9. Both are computed and one
// is selected: no branch a score.
INLINE float softcap(float s, float cap, float inverse_cap) {
  const float x = s * inverse_cap;
  const float square = x * x;
  const float e = exp2_approx(x * (2 * log2_e()));
  const float far = 1 - 2 * reciprocal_approx(e + 1);
  float sum = fmaf(-0.005704989249001959f, square, 0.02063908938072966f);
  sum = fmaf(sum, square, -0.053739715764598905f);
  sum = fmaf(sum, square, 0.13331442206256744f);
  sum = fmaf(sum, square, -0.33333281942284415f);
  const float near = fmaf(sum * square, x, x);
  return cap * (square < 0.390625f ? near : far);
}

// ---- generated from the problem
// The mask causal()&(window(_,_)|sink(_)), for one score (Position) or a tile of them (KeyTile).
template <class At>
INLINE auto visible(const AttentionArgs& args, const At& at) {
  return both(causal(at), either(window(at, argument(args, 0), argument(args, 1)), sink(at, argument(args, 2))));
}

// The keys rows `at` may see, as KEY_RUNS contiguous runs.
INLINE KeyRun visible_run(const AttentionArgs& args, const Rows& at, int run) {
  if (run == 0) {
    return both(causal(at), window(at, argument(args, 0), argument(args, 1)));
  }
  return both(causal(at), sink(at, argument(args, 2)));
}

// The score function softcap(30).
INLINE float score(float s) { return softcap(s, 0x1.ep+4f, 0x1.111112p-5f); }

// ---- cuda/shape.cuh
// Sizes that follow from the choices above: a block of WARPS_M x WARPS_N warps computes TILE_M rows of O and takes
// TILE_N keys a step; each warp holds ROWS_PER_WARP rows by KEYS_PER_WARP keys of S in registers.
enum : int {
  WARPS = WARPS_M * WARPS_N,
  THREADS = 32 * WARPS,
  ROWS_PER_WARP = TILE_M / WARPS_M,
  KEYS_PER_WARP = TILE_N / WARPS_N,
  // The matrix instruction is m16n8k16: 16 rows, 8 columns, 16 terms of the sum.
  ROW_BLOCKS = ROWS_PER_WARP / 16,
  SCORE_BLOCKS = KEYS_PER_WARP / 8,
  OUT_BLOCKS = HEAD_DIM_V / 8,
  QK_STEPS = (HEAD_DIM_QK + 15) / 16,
  PV_STEPS = KEYS_PER_WARP / 16,
  // Rows in 16-byte chunks of 8 elements: in global memory, and in shared memory, where d_qk is whole in QK_STEPS.
  QK_CHUNKS_GLOBAL = HEAD_DIM_QK / 8,
  QK_CHUNKS = 2 * QK_STEPS,
  V_CHUNKS = HEAD_DIM_V / 8,
};

// ---- cuda/fragments.cuh
// A warp's f32 accumulators of S and O: ROW_BLOCKS blocks of 16 rows by blocks of 8 columns. A thread holds of each
// block rows lane/4 (elements 0, 1) and lane/4 + 8 (elements 2, 3), columns 2 * (lane%4) + {0, 1}. So it is for
// m16n8k16 (PTX ISA 9.7.14.5.8), and for the 16 rows of each warp of wgmma's m64nNk16 (9.7.15.5.1.1).
using Scores = float[ROW_BLOCKS][SCORE_BLOCKS][4];
using Output = float[ROW_BLOCKS][OUT_BLOCKS][4];

// Of the rows lane/4 and lane/4 + 8 of each row block.
using RowValues = float[ROW_BLOCKS][2];

// Running statistics. `max` is that of the raw products (times the score function where there is one); `sum` covers
// this thread's columns only until reduce_sums().
struct RowStatistics {
  RowValues max;
  RowValues sum;
};

// ---- cuda/shared_memory.cuh
// The address in the window of shared memory, as instructions for it take it.
INLINE u32 shared_address(const void* pointer) { return (u32)__cvta_generic_to_shared(pointer); }

INLINE void store_shared(u32 address, u32 value) {
  asm volatile("st.shared.b32 [%0], %1;" : : "r"(address), "r"(value) : "memory");
}

// ---- cuda/async_copy.cuh
// cp.async: global to shared memory past the registers (PTX ISA 9.7.9.25.3).

// Copies the first `bytes` (0 or 16) of 16 bytes and writes zeros after them; with 0 nothing is read.
INLINE void copy_async(u32 shared, const void* global, int bytes) {
  asm volatile("cp.async.cg.shared.global.L2::128B [%0], [%1], 16, %2;"
               :
               : "r"(shared), "l"(__cvta_generic_to_global(global)), "r"(bytes)
               : "memory");
}

// Closes the group of copies this thread has begun since the last one; it may be empty.
INLINE void commit_copies() { asm volatile("cp.async.commit_group;" : : : "memory"); }

// Waits until at most PENDING of this thread's latest groups are unfinished. Other threads' copies need a barrier too.
template <int PENDING>
INLINE void wait_copies() {
  asm volatile("cp.async.wait_group %0;" : : "n"(PENDING) : "memory");
}

// ---- cuda/matrix.cuh
// Matrix fragments of 16-bit elements: ldmatrix brings them from shared memory, mma multiplies them.

// ldmatrix.x4 loads four 8x8 matrices: lanes 8n .. 8n+7 give the addresses of the rows of matrix n, and register n of
// lane l gets elements 2(l%4), +1 of its row l/4 (PTX ISA 9.7.14.5.15).
INLINE void load_matrices(u32 (&registers)[4], u32 address) {
  asm volatile("ldmatrix.sync.aligned.m8n8.x4.shared.b16 {%0, %1, %2, %3}, [%4];"
               : "=r"(registers[0]), "=r"(registers[1]), "=r"(registers[2]), "=r"(registers[3])
               : "r"(address)
               : "memory");
}

// The same with each matrix transposed.
INLINE void load_matrices_transposed(u32 (&registers)[4], u32 address) {
  asm volatile("ldmatrix.sync.aligned.m8n8.x4.trans.shared.b16 {%0, %1, %2, %3}, [%4];"
               : "=r"(registers[0]), "=r"(registers[1]), "=r"(registers[2]), "=r"(registers[3])
               : "r"(address)
               : "memory");
}

// Two transposed matrices; the addresses of lanes 16 to 31 are not used.
INLINE void load_matrices_transposed(u32 (&registers)[2], u32 address) {
  asm volatile("ldmatrix.sync.aligned.m8n8.x2.trans.shared.b16 {%0, %1}, [%2];"
               : "=r"(registers[0]), "=r"(registers[1])
               : "r"(address)
               : "memory");
}

// c += a b for a 16x16 (row-major fragments), b 16x8 (column-major), f32 sums (PTX ISA 9.7.14.5.14).
INLINE void multiply_add(float (&c)[4], const u32 (&a)[4], u32 b0, u32 b1) {
  if constexpr (IS_BF16) {
    asm("mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 "
        "{%0, %1, %2, %3}, {%4, %5, %6, %7}, {%8, %9}, {%0, %1, %2, %3};"
        : "+f"(c[0]), "+f"(c[1]), "+f"(c[2]), "+f"(c[3])
        : "r"(a[0]), "r"(a[1]), "r"(a[2]), "r"(a[3]), "r"(b0), "r"(b1));
  } else {
    asm("mma.sync.aligned.m16n8k16.row.col.f32.f16.f16.f32 "
        "{%0, %1, %2, %3}, {%4, %5, %6, %7}, {%8, %9}, {%0, %1, %2, %3};"
        : "+f"(c[0]), "+f"(c[1]), "+f"(c[2]), "+f"(c[3])
        : "r"(a[0]), "r"(a[1]), "r"(a[2]), "r"(a[3]), "r"(b0), "r"(b1));
  }
}

// ---- cuda/shared_tile.cuh
// Where the chunks of a tile lie in shared memory: rows of CHUNKS 16-byte chunks, each row PITCH chunks after the last.
//
// ldmatrix reads one chunk of 8 consecutive rows at a time, and shared memory serves eight 16-byte granules at once if
// they differ modulo 8 (128 bytes: 32 banks of 4). An odd pitch has that property as it is (PADDED adds a chunk where
// needed). An even pitch, divisible by PERIOD = 2, 4 or 8, puts rows 8/PERIOD apart on the same granules, so the chunk
// number is XORed with row / (8/PERIOD) modulo PERIOD, which permutes chunks inside aligned groups of PERIOD. For rows
// of 128 bytes that is the 128B swizzle of the PTX ISA (9.7.14.10, "swizzling modes").
template <int CHUNKS, bool PADDED>
struct SharedTile {
  enum : int {
    PITCH = PADDED ? CHUNKS | 1 : CHUNKS,
    PERIOD = PITCH % 8 == 0   ? 8
             : PITCH % 4 == 0 ? 4
             : PITCH % 2 == 0 ? 2
                              : 1,
    ROW_BYTES = 16 * PITCH,
  };

  // What the chunk numbers of a row are XORed with.
  INLINE static u32 swizzle(u32 row) { return row / (8 / PERIOD) % PERIOD; }

  // Bytes from the tile's start, which is a multiple of 128.
  INLINE static u32 offset(int row, int chunk) { return (u32)row * ROW_BYTES + ((u32)chunk ^ swizzle((u32)row)) * 16; }

  // The address of (row + rows, chunk + chunks) from that of (row, chunk), where `row` and `rows` have no bit of the
  // lowest three in common, for chunk 0 or, with `chunks` even, chunk 1, or any chunk where `chunks` is 0: whole
  // periods add up, the rest is one XOR, because rows begin at multiples of PERIOD chunks.
  INLINE static u32 moved(u32 address, int rows, int chunks) {
    const u32 inside = (u32)chunks % PERIOD;
    return (address ^ (inside ^ swizzle((u32)rows)) * 16) + ((u32)chunks - inside) * 16 + (u32)rows * ROW_BYTES;
  }
};

// ---- cuda/warp_place.cuh
// A warp's part of a block's tile, and a lane's part of a fragment.
struct WarpPlace {
  int first_row;  // in the row tile
  int first_key;  // in the key tile
  int key_part;   // which of the WARPS_N parts of the keys
  int lane;

  // The rows of an accumulator: see Scores.
  INLINE int row(int block, int half) const { return first_row + block * 16 + half * 8 + lane / 4; }
  // The first of the two columns an accumulator holds of a block of 8.
  INLINE int column(int block) const { return block * 8 + lane % 4 * 2; }
};

INLINE WarpPlace warp_place(int thread) {
  const int warp = thread / 32;
  WarpPlace place;
  place.first_row = warp % WARPS_M * ROWS_PER_WARP;
  place.key_part = warp / WARPS_M;
  place.first_key = place.key_part * KEYS_PER_WARP;
  place.lane = thread % 32;
  return place;
}

// ---- cuda/rows.cuh
// Where rows of tensors lie in global memory, for threads that walk from row to row in equal steps. Elements have 2
// bytes; offsets have 64 bits.

// Rows equally far apart.
struct RowWalk {
  const char* row;
  i64 step;  // bytes

  // Hides where `start` came from: the compiler would multiply anew for every row instead of adding the step.
  INLINE RowWalk(const char* start, i64 step) : row(start), step(step) { asm("" : "+l"(row)); }

  INLINE const char* pointer() const { return row; }
  INLINE void advance() { row += step; }
};

// Rows of K or V from one on. Their numbers are not negative: u32 spares the extension of a sign.
struct KeyRows {
  const char* first;
  i64 stride;  // bytes

  INLINE KeyRows from(u32 row) const { return {first + row * stride, stride}; }

  template <int STEP>
  INLINE RowWalk walk(u32 row) const {
    return {first + row * stride, STEP * stride};
  }
};

// Rows of Q, out and LSE are packed: row r of a head pack is query r / PACK of its head r % PACK. PACK is the number of
// query heads a KV head where the whole group shares a block, else 1.
INLINE int query_of(int packed_row) { return (int)((u32)packed_row / PACK); }
INLINE int head_of(int packed_row) { return (int)((u32)packed_row % PACK); }

struct QueryRows {
  const char* head;  // query 0 of the pack's first head
  i64 row_stride;    // bytes from query to query
  i64 head_stride;   // bytes from head to head
  int first_row;     // packed row of row 0

  INLINE const char* operator[](int row) const {
    const int packed_row = first_row + row;
    return head + query_of(packed_row) * row_stride + head_of(packed_row) * head_stride;
  }

  // Where a step may lead to another head: the address of every row is computed.
  template <int STEP>
  struct PackedWalk {
    const QueryRows& rows;
    int row;

    INLINE const char* pointer() const { return rows[row]; }
    INLINE void advance() { row += STEP; }
  };

  template <int STEP>
  INLINE auto walk(int row) const {
    if constexpr (STEP % PACK == 0) {
      return RowWalk((*this)[row], STEP / PACK * row_stride);
    } else {
      return PackedWalk<STEP>{*this, row};
    }
  }
};

// ---- cuda/work_item.cuh
// Which part of the call a block computes: rows of one head pack (a KV head's group where packed, else a query head),
// against one share of the keys.
struct WorkItem {
  int batch;
  int first_head;  // query head
  int head_kv;
  int first_row;  // packed row
  int rows;       // how many of the TILE_M exist
  int split;
};

// launch_choices, in the order of the Config.
INLINE int split_count(const AttentionArgs& args) { return (int)args.launch_choices[0]; }
INLINE int block_order(const AttentionArgs& args) { return (int)args.launch_choices[1]; }

// Orders of blocks, beside the split, which always changes fastest.
enum : int {
  ROWS_FORWARD = 0,   // row tiles change fastest, from the first on
  ROWS_REVERSED = 1,  // row tiles change fastest, from the last on: under causal masks the longest blocks start first
  HEADS_FIRST = 2,    // heads change fastest, row tiles from the last on
};

INLINE u32 row_tile_count(const AttentionArgs& args) { return ((u32)args.len_q * PACK + TILE_M - 1) / TILE_M; }

INLINE u32 work_item_count(const AttentionArgs& args) {
  return (u32)args.batch * ((u32)args.heads_q / PACK) * row_tile_count(args) * split_count(args);
}

// Quotient and remainder by one division: of `/` and `%` in different branches the compiler makes two.
struct Division {
  u32 quotient, remainder;
};
INLINE Division divide(u32 dividend, u32 divisor) {
  const u32 quotient = dividend / divisor;
  return {quotient, dividend - quotient * divisor};
}

INLINE WorkItem work_item(const AttentionArgs& args, u32 block) {
  const u32 packed_rows = (u32)args.len_q * PACK;
  const u32 row_tiles = row_tile_count(args);
  const u32 head_packs = (u32)args.heads_q / PACK;
  const int order = block_order(args);
  const bool heads_first = order == HEADS_FIRST;

  const Division by_split = divide(block, split_count(args));
  const Division by_faster = divide(by_split.quotient, heads_first ? head_packs : row_tiles);
  const Division by_slower = divide(by_faster.quotient, heads_first ? row_tiles : head_packs);
  const u32 head_pack = (heads_first ? by_faster : by_slower).remainder;
  u32 row_tile = (heads_first ? by_slower : by_faster).remainder;
  if (order != ROWS_FORWARD) {
    row_tile = row_tiles - 1 - row_tile;
  }

  WorkItem item;
  item.batch = (int)by_slower.quotient;
  item.first_head = (int)head_pack * PACK;
  item.head_kv = item.first_head / GROUP;
  item.first_row = (int)row_tile * TILE_M;
  item.rows = min((int)packed_rows - item.first_row, (int)TILE_M);
  item.split = (int)by_split.remainder;
  return item;
}

INLINE QueryRows rows_of_q(const AttentionArgs& args, const WorkItem& item) {
  const char* const head =
      (const char*)args.q + 2 * (item.batch * args.q_stride[0] + item.first_head * args.q_stride[2]);
  return {head, 2 * args.q_stride[1], 2 * args.q_stride[2], item.first_row};
}

INLINE QueryRows rows_of_out(const AttentionArgs& args, const WorkItem& item) {
  const char* const head =
      (const char*)args.out + 2 * (item.batch * args.out_stride[0] + item.first_head * args.out_stride[2]);
  return {head, 2 * args.out_stride[1], 2 * args.out_stride[2], item.first_row};
}

INLINE KeyRows rows_of_k(const AttentionArgs& args, const WorkItem& item) {
  const i64 head = item.batch * args.k_stride[0] + item.head_kv * args.k_stride[2];
  return {(const char*)args.k + 2 * head, 2 * args.k_stride[1]};
}

INLINE KeyRows rows_of_v(const AttentionArgs& args, const WorkItem& item) {
  const i64 head = item.batch * args.v_stride[0] + item.head_kv * args.v_stride[2];
  return {(const char*)args.v + 2 * head, 2 * args.v_stride[1]};
}

// ---- cuda/copy_tile.cuh
// Copies between global memory and tiles in shared memory, 16 bytes a thread, by all threads of the block.

// Neighbouring lanes take neighbouring chunks of a row: LANES_PER_ROW of them, the power of two from CHUNKS on, so that
// a thread keeps its chunk and steps from row to row. (Lanes past CHUNKS stay idle.)
template <int CHUNKS>
struct CopyShape {
  enum : int {
    LANES_PER_ROW = CHUNKS <= 1    ? 1
                    : CHUNKS <= 2  ? 2
                    : CHUNKS <= 4  ? 4
                    : CHUNKS <= 8  ? 8
                    : CHUNKS <= 16 ? 16
                                   : 32,
    ROWS_PER_PASS = THREADS / LANES_PER_ROW,
  };
};

// Begins the copy of rows [0, ROWS) of GLOBAL_CHUNKS chunks each. Rows from `valid_rows` on and chunks past
// GLOBAL_CHUNKS become zeros: what lies there in global memory is never read. UNROLL is how many passes become code of
// their own: ROWS, for all of them, where it runs for every key tile.
template <class Tile, int ROWS, int CHUNKS, int GLOBAL_CHUNKS, int UNROLL, class Source>
INLINE void copy_tile(u32 tile, const Source& source, int valid_rows) {
  using Shape = CopyShape<CHUNKS>;
  static_assert((Shape::ROWS_PER_PASS & (Shape::ROWS_PER_PASS - 1)) == 0, "Tile::moved: no carry into the swizzle");
  const int chunk = threadIdx.x % Shape::LANES_PER_ROW;
  const int first_row = computed_here(threadIdx.x / Shape::LANES_PER_ROW);
  const int rows_left = chunk < GLOBAL_CHUNKS ? valid_rows - first_row : 0;
  if (chunk < CHUNKS) {
    const u32 start = tile + Tile::offset(first_row, chunk);
    auto row = source.template walk<Shape::ROWS_PER_PASS>(first_row);
#pragma unroll UNROLL
    for (int pass = 0; pass < ROWS; pass += Shape::ROWS_PER_PASS) {
      if (ROWS % Shape::ROWS_PER_PASS == 0 || first_row + pass < ROWS) {
        copy_async(Tile::moved(start, pass, 0), row.pointer() + chunk * 16, pass < rows_left ? 16 : 0);
      }
      row.advance();
    }
  }
  __syncwarp();  // matrix instructions follow: the lanes of a warp are together again
}

// ---- cuda/tile_sequence.cuh
// Which key tiles a row tile visits: at most KEY_RUNS contiguous runs, in ascending order of keys. Empty tiles between
// them are never touched.
struct TileSequence {
  enum : int { END = 1 << 30 };

  int first[KEY_RUNS];
  int end[KEY_RUNS];  // 0 for an empty run

  // The first tile of the sequence not before `tile`, or END.
  INLINE int next(int tile) const {
    int found = END;
#pragma unroll
    for (int n = 0; n < KEY_RUNS; ++n) {
      if (tile < end[n]) {
        found = min(found, max(tile, first[n]));
      }
    }
    return found;
  }
};

// The tiles that rows [i_first, i_last] (with shift) see anything of.
INLINE TileSequence tile_sequence(const AttentionArgs& args, const Rows& rows) {
  TileSequence tiles;
#pragma unroll
  for (int n = 0; n < KEY_RUNS; ++n) {
    const KeyRun run = visible_run(args, rows, n);
    const int first_key = max(run.first, 0);
    const int last_key = min(run.last, (int)args.len_kv - 1);
    const bool empty = last_key < first_key;
    tiles.first[n] = empty ? 0 : first_key / TILE_N;
    tiles.end[n] = empty ? 0 : last_key / TILE_N + 1;
  }
  return tiles;
}

// Part `split` of `splits`: what lies in an equal share of the tiles from the first to the last.
INLINE TileSequence part_of(TileSequence tiles, int split, int splits) {
  int begin = TileSequence::END;
  int end = 0;
#pragma unroll
  for (int n = 0; n < KEY_RUNS; ++n) {
    if (tiles.end[n] != 0) {
      begin = min(begin, tiles.first[n]);
      end = max(end, tiles.end[n]);
    }
  }
  const int share = end == 0 ? 0 : (end - begin + splits - 1) / splits;
  const int part_begin = begin + split * share;
  const int part_end = min(part_begin + share, end);
#pragma unroll
  for (int n = 0; n < KEY_RUNS; ++n) {
    tiles.first[n] = max(tiles.first[n], part_begin);
    tiles.end[n] = min(tiles.end[n], part_end);
    if (tiles.end[n] <= tiles.first[n]) {
      tiles.end[n] = 0;
    }
  }
  return tiles;
}

// Does the tile need mask code: not every row sees every key, or it reaches past the last key?
INLINE bool is_partial(const AttentionArgs& args, const Rows& rows, int tile) {
  const int key = tile * TILE_N;
  const KeyTile keys{rows.i_first, rows.i_last, key, key + TILE_N - 1};
  return key + TILE_N > args.len_kv || visible(args, keys) != FULL;
}

// ---- cuda/products.cuh
// S = Q K^T and O += P V of one warp, on m16n8k16 fragments.
using QTile = SharedTile<QK_CHUNKS, PADDED>;
using KTile = SharedTile<QK_CHUNKS, PADDED>;
using VTile = SharedTile<V_CHUNKS, PADDED>;

// Q as the products read it: every fragment in registers, or loaded from shared memory again for each key tile.
struct QOperand {
  u32 lane_address;
  u32 registers[Q_IN_REGISTERS ? ROW_BLOCKS : 1][Q_IN_REGISTERS ? QK_STEPS : 1][4];
};

// Lane addresses for ldmatrix.x4. A 16x16 fragment of Q (and two 8-column blocks of V, transposed): matrices 0 and 1
// are rows 0-7 and 8-15 of the first chunk, 2 and 3 of the second.
template <class Tile>
INLINE u32 lane_address_by_rows(u32 tile, int first_row, int lane) {
  return tile + Tile::offset(first_row + lane % 16, lane / 16);
}

// Two 8-key blocks of K: matrices 0 and 1 are both chunks of keys 0-7, 2 and 3 of keys 8-15.
template <class Tile>
INLINE u32 lane_address_by_keys(u32 tile, int first_row, int lane) {
  return tile + Tile::offset(first_row + lane % 8 + lane / 16 * 8, lane / 8 % 2);
}

INLINE void load_q_registers(QOperand& q) {
#pragma unroll
  for (int m = 0; m < ROW_BLOCKS; ++m) {
#pragma unroll
    for (int k = 0; k < QK_STEPS; ++k) {
      load_matrices(q.registers[m][k], QTile::moved(q.lane_address, 16 * m, 2 * k));
    }
  }
}

INLINE void multiply_qk(Scores& s, const QOperand& q, u32 k_tile, const WarpPlace& place) {
#pragma unroll
  for (int m = 0; m < ROW_BLOCKS; ++m) {
#pragma unroll
    for (int n = 0; n < SCORE_BLOCKS; ++n) {
#pragma unroll
      for (int e = 0; e < 4; ++e) {
        s[m][n][e] = 0;
      }
    }
  }
  const u32 k_address = lane_address_by_keys<KTile>(k_tile, place.first_key, place.lane);
#pragma unroll
  for (int k = 0; k < QK_STEPS; ++k) {
    u32 a[ROW_BLOCKS][4];
#pragma unroll
    for (int m = 0; m < ROW_BLOCKS; ++m) {
      if constexpr (Q_IN_REGISTERS) {
#pragma unroll
        for (int r = 0; r < 4; ++r) {
          a[m][r] = q.registers[m][k][r];
        }
      } else {
        load_matrices(a[m], QTile::moved(q.lane_address, 16 * m, 2 * k));
      }
    }
#pragma unroll
    for (int n = 0; n < SCORE_BLOCKS; n += 2) {
      u32 b[4];
      load_matrices(b, KTile::moved(k_address, 8 * n, 2 * k));
#pragma unroll
      for (int m = 0; m < ROW_BLOCKS; ++m) {
        multiply_add(s[m][n], a[m], b[0], b[1]);
        multiply_add(s[m][n + 1], a[m], b[2], b[3]);
      }
    }
  }
}

// The accumulators of S for 16 keys hold just the elements a thread needs of the fragment of P: no shuffle.
INLINE void multiply_pv(Output& o, const Scores& p, u32 v_tile, const WarpPlace& place) {
  const u32 v_address = lane_address_by_rows<VTile>(v_tile, place.first_key, place.lane);
#pragma unroll
  for (int k = 0; k < PV_STEPS; ++k) {
    u32 a[ROW_BLOCKS][4];
#pragma unroll
    for (int m = 0; m < ROW_BLOCKS; ++m) {
#pragma unroll
      for (int r = 0; r < 4; ++r) {
        const float* const pair = &p[m][2 * k + r / 2][r % 2 * 2];
        a[m][r] = pack_16bit(pair[0], pair[1]);
      }
    }
#pragma unroll
    for (int n = 0; n + 1 < OUT_BLOCKS; n += 2) {
      u32 b[4];
      load_matrices_transposed(b, VTile::moved(v_address, 16 * k, n));
#pragma unroll
      for (int m = 0; m < ROW_BLOCKS; ++m) {
        multiply_add(o[m][n], a[m], b[0], b[1]);
        multiply_add(o[m][n + 1], a[m], b[2], b[3]);
      }
    }
    if constexpr (OUT_BLOCKS % 2 != 0) {
      u32 b[2];
      load_matrices_transposed(b, VTile::moved(v_address, 16 * k, OUT_BLOCKS - 1));
#pragma unroll
      for (int m = 0; m < ROW_BLOCKS; ++m) {
        multiply_add(o[m][OUT_BLOCKS - 1], a[m], b[0], b[1]);
      }
    }
  }
}

// ---- cuda/key_pipeline.cuh
// K and V tiles on their way into shared memory, ahead of the products.
//
//   shared memory   Q tile (unless in registers) | stage 0: K tile, V tile | stage 1: K tile, V tile | ...
//
// One stage: V of a tile travels while Q K^T runs, K of the next tile while P V does. More stages: whole tiles travel
// while whole steps run, STAGES - 1 tiles ahead.
//
// Groups of copies are closed even when empty, so that their count alone tells which tile has arrived.
enum : int {
  Q_BYTES = TILE_M * QTile::ROW_BYTES,
  K_BYTES = TILE_N * KTile::ROW_BYTES,
  V_BYTES = TILE_N * VTile::ROW_BYTES,
  STAGE_BYTES = K_BYTES + V_BYTES,
  STAGES_OFFSET = Q_IN_REGISTERS ? 0 : Q_BYTES,
};

struct KeyPipeline {
  TileSequence tiles;
  KeyRows k;
  KeyRows v;
  int keys;    // of the sequence
  u32 stages;  // shared address of stage 0
  int tile;    // the tile of this step, or TileSequence::END
  int ahead;   // the next tile to copy
  int stage;   // where this step's tile lies

  INLINE u32 k_tile() const { return stages + stage * STAGE_BYTES; }
  INLINE u32 v_tile() const { return k_tile() + K_BYTES; }

  INLINE void copy_k(u32 to, int which) const {
    const int key = which * TILE_N;
    copy_tile<KTile, TILE_N, QK_CHUNKS, QK_CHUNKS_GLOBAL, TILE_N>(to, k.from(key), keys - key);
  }
  INLINE void copy_v(u32 to, int which) const {
    const int key = which * TILE_N;
    copy_tile<VTile, TILE_N, V_CHUNKS, V_CHUNKS, TILE_N>(to + K_BYTES, v.from(key), keys - key);
  }

  // Begins to copy the tile `ahead`, if there is one, and goes on to the one after it.
  INLINE void copy_ahead(u32 to) {
    if (ahead != TileSequence::END) {
      copy_k(to, ahead);
      if constexpr (STAGES > 1) {
        copy_v(to, ahead);
      }
      ahead = tiles.next(ahead + 1);
    }
    commit_copies();
  }

  // Copies begun before (of Q) belong to the first group.
  INLINE void start() {
    tile = ahead = tiles.next(0);
    stage = 0;
#pragma unroll 1
    for (int n = 0; n < max((int)STAGES - 1, 1); ++n) {
      copy_ahead(stages + n * STAGE_BYTES);
    }
  }

  // The step's K has arrived for all warps; with more than one stage its V too.
  INLINE void await_k() {
    wait_copies<STAGES == 1 ? 0 : STAGES - 2>();
    __syncthreads();  // everyone's part has arrived, and everyone is done with the tile before
    if constexpr (STAGES == 1) {
      copy_v(stages, tile);
      commit_copies();
    } else {
      copy_ahead(stages + (stage == 0 ? STAGES - 1 : stage - 1) * STAGE_BYTES);
    }
  }

  // The step's V has arrived, and K is not needed any more.
  INLINE void await_v() {
    if constexpr (STAGES == 1) {
      wait_copies<0>();
      __syncthreads();
      copy_ahead(stages);
    }
  }

  INLINE void advance() {
    tile = tiles.next(tile + 1);
    stage = stage == STAGES - 1 ? 0 : stage + 1;
  }
};

// ---- cuda/softmax.cuh
// The online softmax (Milakov and Gimelshein 2018) in base 2, on one warp's scores.

// A row's statistics lie in the four lanes of a quad.
INLINE float quad_max(float x) {
  x = fmaxf(x, __shfl_xor_sync(0xffffffff, x, 1));
  return fmaxf(x, __shfl_xor_sync(0xffffffff, x, 2));
}
INLINE float quad_sum(float x) {
  x += __shfl_xor_sync(0xffffffff, x, 1);
  return x + __shfl_xor_sync(0xffffffff, x, 2);
}

INLINE void begin_rows(RowStatistics& rows) {
#pragma unroll
  for (int m = 0; m < ROW_BLOCKS; ++m) {
#pragma unroll
    for (int half = 0; half < 2; ++half) {
      rows.max[m][half] = minus_infinity();
      rows.sum[m][half] = 0;
    }
  }
}

// Products of Q and K times `factor` are logarithms to base 2 of unnormalized P.
INLINE float log2_factor(const AttentionArgs& args) {
  return !HAS_SCORE && args.scale > 0 ? args.scale * log2_e() : log2_e();
}

// Scale and score function. Without a score function the scale is left to log2_factor(), where it costs nothing; only
// a scale that is not positive cannot wait until after the maximum.
INLINE void finish_scores(Scores& s, float scale) {
  if (HAS_SCORE || !(scale > 0)) {
#pragma unroll
    for (int m = 0; m < ROW_BLOCKS; ++m) {
#pragma unroll
      for (int n = 0; n < SCORE_BLOCKS; ++n) {
#pragma unroll
        for (int e = 0; e < 4; ++e) {
          s[m][n][e] = score(s[m][n][e] * scale);
        }
      }
    }
  }
}

// Hides what the rows do not see and keys at or past the end, whatever their scores are.
INLINE void mask_scores(Scores& s, const AttentionArgs& args, int first_row, const WarpPlace& place, int first_key) {
  const int shift = (int)args.len_kv - (int)args.len_q;
  const int key = first_key + place.first_key + place.column(0);
  const int keys_left = (int)args.len_kv - key;
#pragma unroll
  for (int m = 0; m < ROW_BLOCKS; ++m) {
#pragma unroll
    for (int half = 0; half < 2; ++half) {
      const int distance = query_of(first_row + place.row(m, half)) + shift - key;
#pragma unroll
      for (int n = 0; n < SCORE_BLOCKS; ++n) {
#pragma unroll
        for (int e = 0; e < 2; ++e) {
          const int column = n * 8 + e;
          const Position at{distance - column, key + column};
          const bool seen = both(column < keys_left, visible(args, at));
          s[m][n][2 * half + e] = seen ? s[m][n][2 * half + e] : minus_infinity();
        }
      }
    }
  }
  __syncwarp();  // the compiler may have branched; matrix instructions follow
}

// The largest scores of the rows, `rows` and these.
INLINE void row_maxima(RowValues& maxima, const Scores& s, const RowStatistics& rows) {
#pragma unroll
  for (int m = 0; m < ROW_BLOCKS; ++m) {
#pragma unroll
    for (int half = 0; half < 2; ++half) {
      float largest = rows.max[m][half];
#pragma unroll
      for (int n = 0; n < SCORE_BLOCKS; ++n) {
        largest = fmaxf(largest, fmaxf(s[m][n][2 * half], s[m][n][2 * half + 1]));
      }
      maxima[m][half] = quad_max(largest);
    }
  }
}

// S to P, and the statistics brought up to `maxima`. O follows by rescale_output(): it may be in use by products still.
INLINE void weights_for_maxima(Scores& s, RowStatistics& rows, RowValues& rescale, const RowValues& maxima,
                               float factor) {
#pragma unroll
  for (int m = 0; m < ROW_BLOCKS; ++m) {
#pragma unroll
    for (int half = 0; half < 2; ++half) {
      const float largest = maxima[m][half];
      // A row that has seen nothing yet: with 0 instead of its maximum every exponent below is -inf, not NaN.
      const float origin = largest == minus_infinity() ? 0 : largest * factor;
      // Exactly 0, and so exactly 1, where the maximum stays. The rounding error a fused multiply-add would leave may
      // give 2 ulp more in every step.
      rescale[m][half] = exp2_approx(__fmul_rn(rows.max[m][half], factor) - origin);
      rows.max[m][half] = largest;

      float sum = rows.sum[m][half] * rescale[m][half];
#pragma unroll
      for (int n = 0; n < SCORE_BLOCKS; ++n) {
#pragma unroll
        for (int e = 0; e < 2; ++e) {
          const float p = exp2_approx(fmaf(s[m][n][2 * half + e], factor, -origin));
          s[m][n][2 * half + e] = p;
          sum += p;
        }
      }
      rows.sum[m][half] = sum;
    }
  }
}

INLINE void online_softmax(Scores& s, RowStatistics& rows, RowValues& rescale, float factor) {
  RowValues maxima;
  row_maxima(maxima, s, rows);
  weights_for_maxima(s, rows, rescale, maxima, factor);
}

INLINE void rescale_output(Output& o, const RowValues& rescale) {
#pragma unroll
  for (int m = 0; m < ROW_BLOCKS; ++m) {
#pragma unroll
    for (int n = 0; n < OUT_BLOCKS; ++n) {
#pragma unroll
      for (int e = 0; e < 4; ++e) {
        o[m][n][e] *= rescale[m][e / 2];
      }
    }
  }
}

// Sums over the lanes of a quad, and maxima from now on in base 2.
INLINE void reduce_sums(RowStatistics& rows, float factor) {
#pragma unroll
  for (int m = 0; m < ROW_BLOCKS; ++m) {
#pragma unroll
    for (int half = 0; half < 2; ++half) {
      rows.sum[m][half] = quad_sum(rows.sum[m][half]);
      rows.max[m][half] *= factor;
    }
  }
}

// ---- cuda/merge_warps.cuh
// Where warps share rows and split the keys (WARPS_N > 1), their partial results are merged through shared memory: in
// halves, WARPS_N - 1 in log2(WARPS_N) steps, always in the same order.
enum : int {
  MERGED_VALUES = ROW_BLOCKS * (OUT_BLOCKS * 4 + 4),  // a lane's part of O, max and sum
};

// Value `index` of every lane of a warp side by side: no two lanes share a bank. Reader and writer are the same lane.
INLINE float* merge_slot(unsigned char* shared, int slot, int lane) {
  return (float*)shared + slot * MERGED_VALUES * 32 + lane;
}

INLINE void put_partial(float* slot, const Output& o, const RowStatistics& rows) {
#pragma unroll
  for (int m = 0; m < ROW_BLOCKS; ++m) {
#pragma unroll
    for (int half = 0; half < 2; ++half) {
      *slot = rows.max[m][half];
      slot += 32;
      *slot = rows.sum[m][half];
      slot += 32;
#pragma unroll
      for (int n = 0; n < OUT_BLOCKS; ++n) {
#pragma unroll
        for (int e = 0; e < 2; ++e) {
          *slot = o[m][n][2 * half + e];
          slot += 32;
        }
      }
    }
  }
}

INLINE void merge_partial(const float* slot, Output& o, RowStatistics& rows) {
#pragma unroll
  for (int m = 0; m < ROW_BLOCKS; ++m) {
#pragma unroll
    for (int half = 0; half < 2; ++half) {
      const float their_max = *slot;
      slot += 32;
      const float their_sum = *slot;
      slot += 32;
      const float largest = fmaxf(rows.max[m][half], their_max);
      const float origin = largest == minus_infinity() ? 0 : largest;
      const float ours = exp2_approx(rows.max[m][half] - origin);
      const float theirs = exp2_approx(their_max - origin);
      rows.max[m][half] = largest;
      rows.sum[m][half] = rows.sum[m][half] * ours + their_sum * theirs;
#pragma unroll
      for (int n = 0; n < OUT_BLOCKS; ++n) {
#pragma unroll
        for (int e = 0; e < 2; ++e) {
          o[m][n][2 * half + e] = o[m][n][2 * half + e] * ours + *slot * theirs;
          slot += 32;
        }
      }
    }
  }
}

// Afterwards the warps of key part 0 hold the result. All threads of the block call it; no copy is under way.
INLINE void merge_warps(unsigned char* shared, Output& o, RowStatistics& rows, const WarpPlace& place) {
  const int row_part = place.first_row / ROWS_PER_WARP;
#pragma unroll 1
  for (int parts = WARPS_N / 2; parts > 0; parts /= 2) {
    __syncthreads();  // nobody reads what is overwritten: the last key tile, or the slots of the step before
    if (place.key_part >= parts && place.key_part < 2 * parts) {
      put_partial(merge_slot(shared, (place.key_part - parts) * WARPS_M + row_part, place.lane), o, rows);
    }
    __syncthreads();
    if (place.key_part < parts) {
      merge_partial(merge_slot(shared, place.key_part * WARPS_M + row_part, place.lane), o, rows);
    }
  }
}

// ---- cuda/row_end.cuh
// What is left to do for a row after its last key: O is multiplied by `factor`; lse is the natural logarithm of the
// softmax's denominator.
struct RowEnd {
  float factor;
  float lse;
};

// An instruction of its own for each row, whatever the compiler knows of heads: traffic is what the generator predicts.
INLINE float load_sink_logit(const AttentionArgs& args, int head) {
  float sink;
  asm volatile("ld.global.f32 %0, [%1];" : "=f"(sink) : "l"(__cvta_generic_to_global(args.sink_logit + head)));
  return sink;
}

// `max` in base 2. A row without a visible key has sum 0; then the sink, where there is one, is the whole denominator.
INLINE RowEnd finish_row(const AttentionArgs& args, float max, float sum, int head) {
  float empty = minus_infinity();
  float factor = 1;
  bool sink_is_largest = false;
  const bool seen = sum != 0;  // true for NaN: it reaches the output
  if constexpr (HAS_SINK_LOGIT) {
    empty = load_sink_logit(args, head);
    const float sink = empty * log2_e();
    const float largest = fmaxf(max, sink);
    factor = exp2_approx(max - largest);
    sum = sum * factor + exp2_approx(sink - largest);
    max = largest;
    sink_is_largest = largest == sink;
  }
  if (!seen) {
    return {0, empty};
  }
  float lse = (max + log2_approx(sum)) * ln_2();
  if (sink_is_largest) {  // a large logit is not to be rounded on its way to base 2 and back
    lse = empty + log2_approx(sum) * ln_2();
  }
  return {factor * reciprocal_approx(sum), lse};
}

INLINE void store_lse(const AttentionArgs& args, const WorkItem& item, int packed_row, float lse) {
  args.lse[item.batch * args.lse_stride[0] + (item.first_head + head_of(packed_row)) * args.lse_stride[1] +
           query_of(packed_row) * args.lse_stride[2]] = lse;
}

// ---- cuda/store_partial.cuh
// What a block leaves of its rows where several share their keys: partial O, normalized, and log2 of its denominator,
// in f32. workspace[0] holds [splits, batch, heads_q, len_q, d_v], workspace[1] the same without d_v. attentune_combine
// merges them.
INLINE void store_partial(const AttentionArgs& args, const WorkItem& item, const WarpPlace& place, const Output& o,
                          const RowStatistics& rows) {
  const i64 head = (i64)(item.split * args.batch + item.batch) * args.heads_q + item.first_head;
#pragma unroll
  for (int m = 0; m < ROW_BLOCKS; ++m) {
#pragma unroll
    for (int half = 0; half < 2; ++half) {
      const int row = place.row(m, half);
      if (row < item.rows) {
        const int packed_row = item.first_row + row;
        const i64 index = (head + head_of(packed_row)) * args.len_q + query_of(packed_row);
        const float sum = rows.sum[m][half];
        const float factor = sum != 0 ? reciprocal_approx(sum) : 0;
        if (place.lane % 4 == 0) {
          ((float*)args.workspace[1])[index] = sum != 0 ? rows.max[m][half] + log2_approx(sum) : minus_infinity();
        }
        float* const out = (float*)args.workspace[0] + index * HEAD_DIM_V + place.column(0);
#pragma unroll
        for (int n = 0; n < OUT_BLOCKS; ++n) {
          *(float2*)(out + 8 * n) = float2{o[m][n][2 * half] * factor, o[m][n][2 * half + 1] * factor};
        }
      }
    }
  }
  __syncwarp();  // products of the next item may follow
}

// ---- cuda/epilogue.cuh
// What a block leaves behind: rows of O and LSE.
using OutTile = SharedTile<V_CHUNKS, PADDED>;

// O goes through shared memory, so that it is written in whole chunks of 16 bytes. No copy is under way.
INLINE void store_rows(const AttentionArgs& args, const WorkItem& item, const WarpPlace& place, unsigned char* shared,
                       Output& o, const RowStatistics& rows) {
  const u32 address = shared_address(shared) + OutTile::offset(place.row(0, 0), 0) + place.lane % 4 * 4;
  __syncthreads();  // the last key tile (or merged parts) may still be read
  if (place.key_part == 0) {
#pragma unroll
    for (int m = 0; m < ROW_BLOCKS; ++m) {
#pragma unroll
      for (int half = 0; half < 2; ++half) {
        const int row = place.row(m, half);
        const int packed_row = item.first_row + row;
        if (row < item.rows) {
          const RowEnd end =
              finish_row(args, rows.max[m][half], rows.sum[m][half], item.first_head + head_of(packed_row));
          if (HAS_LSE && place.lane % 4 == 0) {
            store_lse(args, item, packed_row, end.lse);
          }
#pragma unroll
          for (int n = 0; n < OUT_BLOCKS; ++n) {
            store_shared(OutTile::moved(address, 16 * m + 8 * half, n),
                         pack_16bit(o[m][n][2 * half] * end.factor, o[m][n][2 * half + 1] * end.factor));
          }
        }
      }
    }
  }
  __syncthreads();
  using Shape = CopyShape<V_CHUNKS>;
  const QueryRows out = rows_of_out(args, item);
  const int chunk = threadIdx.x % Shape::LANES_PER_ROW;
  for (int row = threadIdx.x / Shape::LANES_PER_ROW; row < item.rows; row += Shape::ROWS_PER_PASS) {
    if (chunk < V_CHUNKS) {
      *(uint4*)(out[row] + chunk * 16) = *(const uint4*)(shared + OutTile::offset(row, chunk));
    }
  }
}

// ---- cuda/forward_mma.cuh
// attentune_forward: attention forward on mma.sync. A block takes TILE_M rows (queries, or queries x heads of a group)
// and walks the key tiles they see, in FlashAttention-2's loop order (Dao 2023, algorithm 1).

// Q begins to travel; where it stays in registers it also arrives, since its place in shared memory is the stages'.
INLINE void load_q(const AttentionArgs& args, const WorkItem& item, const WarpPlace& place, u32 tile, QOperand& q) {
  q.lane_address = lane_address_by_rows<QTile>(tile, place.first_row, place.lane);
  copy_tile<QTile, TILE_M, QK_CHUNKS, QK_CHUNKS_GLOBAL, 4>(tile, rows_of_q(args, item), item.rows);
  if constexpr (Q_IN_REGISTERS) {
    commit_copies();
    wait_copies<0>();
    __syncthreads();
    load_q_registers(q);
    __syncthreads();
  }
}

extern "C" __global__ void __launch_bounds__(THREADS, MIN_BLOCKS)
    attentune_forward(const __grid_constant__ AttentionArgs args) {
  extern __shared__ __align__(128) unsigned char shared[];
  const WarpPlace place = warp_place(threadIdx.x);
  const WorkItem item = work_item(args, blockIdx.x);
  const int shift = (int)args.len_kv - (int)args.len_q;
  // Kept, not computed anew from the item for every key tile.
  const Rows rows{computed_here(query_of(item.first_row) + shift),
                  computed_here(query_of(item.first_row + item.rows - 1) + shift)};

  QOperand q;
  load_q(args, item, place, shared_address(shared), q);
  KeyPipeline keys;
  keys.tiles = part_of(tile_sequence(args, rows), item.split, split_count(args));
  keys.k = rows_of_k(args, item);
  keys.v = rows_of_v(args, item);
  keys.keys = (int)args.len_kv;
  keys.stages = shared_address(shared) + STAGES_OFFSET;
  keys.start();

  Output o = {};
  RowStatistics statistics;
  begin_rows(statistics);
  const float factor = log2_factor(args);

  while (keys.tile != TileSequence::END) {
    keys.await_k();
    Scores s;
    multiply_qk(s, q, keys.k_tile(), place);
    finish_scores(s, args.scale);
    if (is_partial(args, rows, keys.tile)) {
      mask_scores(s, args, item.first_row, warp_place(computed_here(threadIdx.x)), keys.tile * TILE_N);
    }
    keys.await_v();
    RowValues rescale;
    online_softmax(s, statistics, rescale, factor);
    rescale_output(o, rescale);
    multiply_pv(o, s, keys.v_tile(), place);
    keys.advance();
  }

  wait_copies<0>();  // a block that saw no key still waits for Q
  reduce_sums(statistics, factor);
  if constexpr (WARPS_N > 1) {
    merge_warps(shared, o, statistics, place);
  }
  const WorkItem done = work_item(args, computed_here(blockIdx.x));
  if (split_count(args) == 1) {
    store_rows(args, done, place, shared, o, statistics);
  } else if (place.key_part == 0) {
    store_partial(args, done, place, o, statistics);
  }
}

// ---- cuda/combine_splits.cuh
// attentune_combine: after a split attentune_forward, merges the partial results of each row; a warp a row, always in
// the order of the splits.
enum : int {
  COMBINE_THREADS = 128,
  COMBINE_BLOCKS = 8,        // an SM: with registers for more it would spill
  COMBINE_COLUMNS = 4 * 32,  // of a row that a warp takes at once, four a lane
};

INLINE float warp_max(float x) {
#pragma unroll
  for (int distance = 16; distance > 0; distance /= 2) {
    x = fmaxf(x, __shfl_xor_sync(0xffffffff, x, distance));
  }
  return x;
}

// Row numbers have 32 bits: fewer than 2^31 rows are served (generator/gpu_refusal.cpp), and a division of 64 bits is a
// hundred instructions.
extern "C" __global__ void __launch_bounds__(COMBINE_THREADS, COMBINE_BLOCKS)
    attentune_combine(const __grid_constant__ AttentionArgs args) {
  const u32 len_q = (u32)args.len_q;
  const u32 heads_q = (u32)args.heads_q;
  const i64 rows = (i64)((u32)args.batch * heads_q * len_q);
  const u32 row = blockIdx.x * (COMBINE_THREADS / 32) + threadIdx.x / 32;
  const int lane = threadIdx.x % 32;
  if (row >= rows) {
    return;
  }
  const int splits = split_count(args);
  const float* const partial_out = (const float*)args.workspace[0] + (i64)row * HEAD_DIM_V + 4 * lane;
  const float* const partial_log2 = (const float*)args.workspace[1] + row;

  float max = minus_infinity();
#pragma unroll 1
  for (int n = lane; n < splits; n += 32) {
    max = fmaxf(max, partial_log2[n * rows]);
  }
  max = warp_max(max);
  const float origin = max == minus_infinity() ? 0 : max;
  float sum = 0;
  float4 o[(HEAD_DIM_V + COMBINE_COLUMNS - 1) / COMBINE_COLUMNS] = {};
#pragma unroll 4
  for (int n = 0; n < splits; ++n) {
    const float weight = exp2_approx(partial_log2[n * rows] - origin);
    sum += weight;
#pragma unroll
    for (int part = 0; part < HEAD_DIM_V; part += COMBINE_COLUMNS) {
      if (part + 4 * lane < HEAD_DIM_V) {
        const float4 share = *(const float4*)(partial_out + n * rows * HEAD_DIM_V + part);
        float4& total = o[part / COMBINE_COLUMNS];
        total.x += weight * share.x;
        total.y += weight * share.y;
        total.z += weight * share.z;
        total.w += weight * share.w;
      }
    }
  }

  const u32 query = row % len_q;
  const u32 head = row / len_q % heads_q;
  const u32 batch = row / len_q / heads_q;
  const RowEnd end = finish_row(args, max, sum, (int)head);
  if (HAS_LSE && lane == 0) {
    args.lse[batch * args.lse_stride[0] + head * args.lse_stride[1] + query * args.lse_stride[2]] = end.lse;
  }
  char* const out = (char*)args.out + 2 * (batch * args.out_stride[0] + query * args.out_stride[1] +
                                           head * args.out_stride[2] + 4 * lane);
#pragma unroll
  for (int part = 0; part < HEAD_DIM_V; part += COMBINE_COLUMNS) {
    if (part + 4 * lane < HEAD_DIM_V) {
      const float4& total = o[part / COMBINE_COLUMNS];
      *(uint2*)(out + 2 * part) = uint2{pack_16bit(total.x * end.factor, total.y * end.factor),
                                        pack_16bit(total.z * end.factor, total.w * end.factor)};
    }
  }
}
