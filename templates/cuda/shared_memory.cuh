// The address in the window of shared memory, as instructions for it take it.
INLINE u32 shared_address(const void* pointer) { return (u32)__cvta_generic_to_shared(pointer); }
