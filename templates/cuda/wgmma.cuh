// wgmma: asynchronous products of a warpgroup (PTX ISA 9.7.15). The instructions themselves, whose text names every
// accumulator, are written by the generator: wgmma_qk and wgmma_pv.

// Registers written by other instructions since the last product are those the next products see (9.7.15.7.1).
// All lanes of a warp take part, so those that parted at a branch come together before.
INLINE void begin_products() {
  __syncwarp();
  asm volatile("wgmma.fence.sync.aligned;" : : : "memory");
}

// Closes the group of products issued since the last one.
INLINE void commit_products() { asm volatile("wgmma.commit_group.sync.aligned;" : : : "memory"); }

// Waits until at most PENDING of the latest groups are unfinished.
template <int PENDING>
INLINE void wait_products() {
  asm volatile("wgmma.wait_group.sync.aligned %0;" : : "n"(PENDING) : "memory");
}

// The compiler does not know that accumulators, and fragments that products read, change or are read long after the
// instruction. So it must not move their use over a wait or a fence: here they seem to be read and written.
template <int ROWS, int COLUMNS>
INLINE void settle(float (&values)[ROWS][COLUMNS]) {
#pragma unroll
  for (int n = 0; n < ROWS; ++n) {
#pragma unroll
    for (int e = 0; e < COLUMNS; ++e) {
      asm volatile("" : "+f"(values[n][e]) : : "memory");
    }
  }
}

template <int ROWS, int COLUMNS>
INLINE void settle(u32 (&values)[ROWS][COLUMNS]) {
#pragma unroll
  for (int n = 0; n < ROWS; ++n) {
#pragma unroll
    for (int e = 0; e < COLUMNS; ++e) {
      asm volatile("" : "+r"(values[n][e]) : : "memory");
    }
  }
}
