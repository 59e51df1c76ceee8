// What a warp of a specialized block does, and the registers it has for that.

// Lane 0's value. The compiler knows it to be the same in all lanes: descriptors and addresses then need one register a
// warp. And it does not know how to compute it anew in every step of a loop.
INLINE u32 uniform(u32 value) { return __shfl_sync(0xffffffff, value, 0); }

INLINE int uniform_warp() { return (int)uniform(threadIdx.x / 32); }

// Registers a thread, from now on; all warps of a warpgroup call it (PTX ISA 9.7.19.5).
template <int REGISTERS>
INLINE void give_registers_up() {
  asm volatile("setmaxnreg.dec.sync.aligned.u32 %0;" : : "n"(REGISTERS));
}
template <int REGISTERS>
INLINE void take_registers() {
  asm volatile("setmaxnreg.inc.sync.aligned.u32 %0;" : : "n"(REGISTERS));
}
