// The address in the window of shared memory, as instructions for it take it.
INLINE u32 shared_address(const void* pointer) { return (u32)__cvta_generic_to_shared(pointer); }

INLINE void store_shared(u32 address, u32 value) {
  asm volatile("st.shared.b32 [%0], %1;" : : "r"(address), "r"(value) : "memory");
}
