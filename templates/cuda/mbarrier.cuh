// mbarrier: a barrier in shared memory that counts arrivals and bytes still to come (PTX ISA 9.7.13.15). Addresses are
// those of shared memory.

// `arrivals` complete a phase, when no bytes are outstanding.
INLINE void init_barrier(u32 barrier, int arrivals) {
  asm volatile("mbarrier.init.shared::cta.b64 [%0], %1;" : : "r"(barrier), "r"(arrivals) : "memory");
}

// Makes barriers initialized by this thread known to the copy engine; other threads need a __syncthreads() as well.
INLINE void publish_barriers() { asm volatile("fence.mbarrier_init.release.cluster;" : : : "memory"); }

// One arrival. What this thread read and wrote before comes before what those see who wait.
INLINE void arrive(u32 barrier) {
  asm volatile("mbarrier.arrive.shared::cta.b64 _, [%0];" : : "r"(barrier) : "memory");
}

// One arrival, and `bytes` more for the phase to wait for.
INLINE void arrive_expecting(u32 barrier, int bytes) {
  asm volatile("mbarrier.arrive.expect_tx.shared::cta.b64 _, [%0], %1;" : : "r"(barrier), "r"(bytes) : "memory");
}

// Blocks until the phase of this parity has ended. The instruction suspends the thread for a while by itself.
INLINE void wait_barrier(u32 barrier, u32 parity) {
  asm volatile(
      "{\n\t"
      ".reg .pred done;\n"
      "again:\n\t"
      "mbarrier.try_wait.parity.shared::cta.b64 done, [%0], %1;\n\t"
      "@!done bra again;\n\t"
      "}"
      :
      : "r"(barrier), "r"(parity)
      : "memory");
}
