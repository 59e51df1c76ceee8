// The vocabulary of every file below. Nothing is included: the text compiles under NVRTC and nvcc as it stands.
using u32 = unsigned int;
using u64 = unsigned long long;
using i64 = long long;

#define INLINE __device__ __forceinline__

// `value`, in such a way that nothing computed from it is known before: what is needed on few paths is then computed
// there, and not kept in registers through the whole loop. Registers are what limits these kernels.
INLINE int computed_here(int value) {
  asm volatile("" : "+r"(value));
  return value;
}
