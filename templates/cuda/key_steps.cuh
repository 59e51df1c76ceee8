// What the producer tells the consumers of each stage of K, beside the stage and ordered by the same barriers: only the
// producer walks the tile sequence.
struct KeyStep {
  enum : int { BYTES = 8 };

  int tile;     // TileSequence::END: no stage, the item has no more keys
  u32 partial;  // bit w: consumer warpgroup w needs mask code
};

INLINE void store_step(u32 address, const KeyStep& step) {
  asm volatile("st.shared.v2.b32 [%0], {%1, %2};" : : "r"(address), "r"(step.tile), "r"(step.partial) : "memory");
}

INLINE KeyStep load_step(u32 address) {
  KeyStep step;
  asm volatile("ld.shared.v2.b32 {%0, %1}, [%2];" : "=r"(step.tile), "=r"(step.partial) : "r"(address) : "memory");
  return step;
}
