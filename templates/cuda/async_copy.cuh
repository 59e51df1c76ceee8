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
