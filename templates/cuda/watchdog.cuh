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

// Waits as wait_barrier does, but not for ever; a poll takes at most a microsecond. One piece of assembly, for of a
// loop in C++ the compiler makes blocks through which it cannot keep the accumulators of products under way in
// registers.
INLINE void wait_watched(u32 barrier, const WatchedWait& wait) {
  const u32 place = (u32)wait.ring << 8 | (u32)wait.stage << 16 | wait.parity << 24 | (u32)wait.for_full << 25;
  asm volatile(
      "{\n\t"
      ".reg .pred done;\n\t"
      ".reg .b32 polls, block, warp, place;\n\t"
      ".reg .b64 report;\n\t"
      "mov.b32 polls, 0;\n"
      "again:\n\t"
      "mbarrier.try_wait.parity.shared::cta.b64 done, [%0], %1, 1000;\n\t"
      "@done bra ended;\n\t"
      "add.u32 polls, polls, 1;\n\t"
      "setp.lt.u32 done, polls, %4;\n\t"
      "@done bra again;\n\t"
      "mov.u32 block, %%ctaid.x;\n\t"
      "mov.u32 warp, %%tid.x;\n\t"
      "shr.u32 warp, warp, 5;\n\t"
      "or.b32 place, %3, warp;\n\t"
      "mov.b64 report, {block, place};\n\t"
      "st.volatile.b64 [%2], report;\n\t"
      "membar.sys;\n\t"  // the trap takes with it what is still under way
      "trap;\n"
      "ended:\n\t"
      "}"
      :
      : "r"(barrier), "r"(wait.parity), "l"(wait.report), "r"(place), "n"(WATCHDOG_POLLS)
      : "memory");
}
