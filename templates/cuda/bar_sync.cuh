// bar.sync and bar.arrive on named barriers (PTX ISA 9.7.13.1).

// The id is part of the instruction: with one from a register the compiler would reserve all 16.
template <NamedBarrier BARRIER>
INLINE void wait_named() {
  asm volatile("bar.sync %0, %1;" : : "n"((int)BARRIER), "n"(threads_of(BARRIER)) : "memory");
}

template <NamedBarrier BARRIER>
INLINE void arrive_named() {
  asm volatile("bar.arrive %0, %1;" : : "n"((int)BARRIER), "n"(threads_of(BARRIER)) : "memory");
}
