// What a warp of a specialized block does, and the registers it has for that.

// The warp's number. Lane 0 says it to all, so that the compiler knows it to be the same in all lanes: descriptors and
// addresses then need one register a warp.
INLINE int uniform_warp() { return __shfl_sync(0xffffffff, threadIdx.x / 32, 0); }

// Registers a thread, from now on; all warps of a warpgroup call it (PTX ISA 9.7.19.5).
template <int REGISTERS>
INLINE void give_registers_up() {
  asm volatile("setmaxnreg.dec.sync.aligned.u32 %0;" : : "n"(REGISTERS));
}
template <int REGISTERS>
INLINE void take_registers() {
  asm volatile("setmaxnreg.inc.sync.aligned.u32 %0;" : : "n"(REGISTERS));
}
