// Where a warp stands in a ring of STAGES buffers that one side fills and the other empties, in turn.
//
// An mbarrier tells its phases apart by their parity alone, and a wait is for the end of the phase of a parity. Each
// round of the ring completes one phase of every barrier of it, beginning with parity 0. So who empties waits for the
// round's own parity; who fills waits for the parity before, which on a fresh barrier has ended by definition
// (PTX ISA 9.7.13.15.16): the first round fills without waiting.
template <int STAGES>
struct RingPlace {
  int stage = 0;
  u32 parity = 0;

  INLINE u32 parity_to_empty() const { return parity; }
  INLINE u32 parity_to_fill() const { return parity ^ 1; }

  INLINE void advance() {
    if constexpr (STAGES == 2) {  // two instructions, not five, of every step
      parity ^= (u32)stage;
      stage ^= 1;
    } else {
      ++stage;
      if (stage == STAGES) {
        stage = 0;
        parity ^= 1;
      }
    }
  }
};
