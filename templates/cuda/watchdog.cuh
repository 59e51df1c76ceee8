// A kernel compiled with a watchdog gives up a wait that never ends: it says where it stands, and traps. For the first
// runs of a kernel, which could else hold the GPU for ever. WATCHDOG_POLLS is how often a wait may be told that it has
// not ended yet; -DWATCHDOG_POLLS=1000000 makes that a second or so. 0: no watchdog.
//
// Only waits for an mbarrier are watched: nobody can ask bar.sync. Who is stuck there has not let go of its tiles, and
// the thread that fills them gives up.
#ifndef WATCHDOG_POLLS
#define WATCHDOG_POLLS 0
#endif

struct WatchedWait {
  u64* report;  // AttentionArgs::watchdog_report
  char ring;    // 'Q', 'K' or 'V'
  int stage;
  u32 parity;
  bool for_full;  // else for empty
};

INLINE void give_up(const WatchedWait& wait) {
  *(volatile u64*)wait.report = (u64)blockIdx.x | (u64)(threadIdx.x / 32) << 32 | (u64)wait.ring << 40 |
                                (u64)wait.stage << 48 | (u64)wait.parity << 56 | (u64)wait.for_full << 57;
  __threadfence_system();  // the trap takes with it what is still under way
  __trap();
}

// Waits as wait_barrier does, but not for ever.
INLINE void wait_watched(u32 barrier, const WatchedWait& wait) {
  for (int polls = 1; !poll_barrier(barrier, wait.parity); ++polls) {
    if (polls == WATCHDOG_POLLS) {
      give_up(wait);
    }
  }
}
