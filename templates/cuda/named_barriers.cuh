// Named barriers: 16 a block, each for a fixed set of warps (PTX ISA 9.7.13.1). Barrier 0 is that of __syncthreads().
enum NamedBarrier : int {
  ALL_THREADS = 0,
  TURN_OF_CONSUMER_0 = 1,  // one a consumer warpgroup: it may issue its products
  TURN_OF_CONSUMER_1 = 2,
  TURN_OF_CONSUMER_2 = 3,
};

// How many threads take part, whether they wait or only arrive.
INLINE constexpr int threads_of(NamedBarrier barrier) {
  return barrier == ALL_THREADS ? THREADS : 2 * WARPGROUP;  // the one whose turn it is, and the one whose turn it was
}
