// One 16 x 8 tile of a matrix product by inline assembly: asynchronous copies, ldmatrix, mma, and scopes whose labels
// and registers repeat.
struct Shape {
  int rows, columns, depth;
  long long strides[3];
};

static __device__ __forceinline__ void copy16(unsigned to, const void* from, int bytes) {
  asm volatile("cp.async.cg.shared.global.L2::128B [%0], [%1], 16, %2;" ::"r"(to), "l"(from), "r"(bytes) : "memory");
}

static __device__ __forceinline__ unsigned spin(unsigned start) {
  unsigned count = start;
  asm volatile(
      "{\n\t.reg .pred more;\n\t.reg .b32 t;\n\tmov.b32 t, 3;\n"
      "AGAIN:\n\tsub.u32 t, t, 1;\n\tadd.u32 %0, %0, -1;\n\tsetp.ne.u32 more, t, 0;\n\t@more bra AGAIN;\n\t}"
      : "+r"(count));
  return count;
}

extern "C" __global__ void __launch_bounds__(32)
    matrix_tile(const __grid_constant__ Shape shape, const unsigned short* left, const unsigned short* right,
                float* product) {
  __shared__ __align__(128) unsigned short tiles[2][16 * 16];
  const unsigned lane = threadIdx.x;
  const unsigned base = static_cast<unsigned>(__cvta_generic_to_shared(tiles));
  float sum[4] = {};
  for (int depth = 0; depth < shape.depth; depth += 16) {
    copy16(base + lane * 16, left + lane / 2 * shape.strides[0] + depth + lane % 2 * 8, 16);
    copy16(base + 512 + lane * 16, right + lane / 2 * shape.strides[1] + depth + lane % 2 * 8, lane < 16 ? 16 : 0);
    asm volatile("cp.async.commit_group;\n\tcp.async.wait_group 0;" ::: "memory");
    __syncthreads();
    unsigned a[4], b[2];
    asm volatile("ldmatrix.sync.aligned.m8n8.x4.shared.b16 {%0, %1, %2, %3}, [%4];"
                 : "=r"(a[0]), "=r"(a[1]), "=r"(a[2]), "=r"(a[3])
                 : "r"(base + lane % 16 * 32 + lane / 16 * 16));
    asm volatile("ldmatrix.sync.aligned.m8n8.x2.trans.shared.b16 {%0, %1}, [%2];"
                 : "=r"(b[0]), "=r"(b[1])
                 : "r"(base + 512 + lane % 16 * 32));
    asm volatile(
        "mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 {%0, %1, %2, %3}, {%4, %5, %6, %7}, {%8, %9},"
        " {%0, %1, %2, %3};"
        : "+f"(sum[0]), "+f"(sum[1]), "+f"(sum[2]), "+f"(sum[3])
        : "r"(a[0]), "r"(a[1]), "r"(a[2]), "r"(a[3]), "r"(b[0]), "r"(b[1]));
    __syncthreads();
  }
  float* const out = product + lane / 4 * shape.strides[2] + lane % 4 * 2 + (spin(lane) + spin(lane + 1)) % 1;
  out[0] = sum[0];
  out[1] = sum[1];
  out[8 * shape.strides[2]] = sum[2];
  out[8 * shape.strides[2] + 1] = sum[3];
}
