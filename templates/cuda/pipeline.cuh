// A ring of STAGES tiles between the thread that has them copied and the warps that compute with them. Each stage has
// two barriers: `full` completes when its bytes have arrived, `empty` when every warp of the consumers has let go of
// it.
template <int STAGES>
struct Pipeline {
  enum : int { BARRIER_BYTES = 2 * STAGES * 8 };

  u32 barriers;  // full[STAGES], empty[STAGES]
  char name;     // for the watchdog
  u64* watchdog_report;
  RingPlace<STAGES> place;

  INLINE u32 full() const { return barriers + place.stage * 8; }
  INLINE u32 empty() const { return full() + STAGES * 8; }

  // One thread, before all else.
  INLINE void init() const {
#pragma unroll
    for (int stage = 0; stage < STAGES; ++stage) {
      init_barrier(barriers + stage * 8, 1);
      init_barrier(barriers + (STAGES + stage) * 8, CONSUMER_WARPS);
    }
  }

  // The filling side: the stage is empty; then `arrive_expecting(full(), bytes)` and copies, then advance().
  INLINE void wait_empty() const { wait(empty(), place.parity_to_fill(), false); }
  // The filling side, when it has filled all it had: every stage is empty again.
  INLINE void drain() {
    for (int stage = 0; stage < STAGES; ++stage) {
      wait_empty();
      place.advance();
    }
  }

  // The emptying side.
  INLINE void wait_full() const { wait(full(), place.parity_to_empty(), true); }
  // All lanes of a warp, when everything that read the stage has ended.
  INLINE void release() {
    __syncwarp();
    if (threadIdx.x % 32 == 0) {
      arrive(empty());
    }
    place.advance();
  }

  INLINE void wait(u32 barrier, u32 parity, bool for_full) const {
    if constexpr (WATCHDOG_POLLS > 0) {
      wait_watched(barrier, {watchdog_report, name, place.stage, parity, for_full});
    } else {
      wait_barrier(barrier, parity);
    }
  }
};
