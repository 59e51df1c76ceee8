// The vocabulary of every file below. Nothing is included: the text compiles under NVRTC and nvcc as it stands.
using u32 = unsigned int;
using i64 = long long;

#define INLINE __device__ __forceinline__
