// What the producer tells the consumers of each stage of K, beside the stage and ordered by the same barriers: only the
// producer knows which items the block computes, and walks their tile sequences.
struct KeyStep {
  enum : int { BYTES = 16, ITEM_OFFSET = 8 };

  int tile;     // TileSequence::END: no stage, the item has no more keys
  u32 partial;  // bit w: consumer warpgroup w needs mask code
};

enum : u32 { NO_ITEM = 0xffffffff };  // there are no more

INLINE void store_step(u32 address, u32 item, const KeyStep& step) {
  asm volatile("st.shared.v2.b32 [%0], {%1, %2};" : : "r"(address), "r"(step.tile), "r"(step.partial) : "memory");
  asm volatile("st.shared.b32 [%0], %1;" : : "r"(address + KeyStep::ITEM_OFFSET), "r"(item) : "memory");
}

INLINE KeyStep load_step(u32 address) {
  KeyStep step;
  asm volatile("ld.shared.v2.b32 {%0, %1}, [%2];" : "=r"(step.tile), "=r"(step.partial) : "r"(address) : "memory");
  return step;
}

// Of an item's first step.
INLINE u32 load_item(u32 address) {
  u32 item;
  asm volatile("ld.shared.b32 %0, [%1];" : "=r"(item) : "r"(address + KeyStep::ITEM_OFFSET) : "memory");
  return item;
}
