// The static persistent schedule: block b computes items b, b + gridDim.x and so on.
struct PersistentItems {
  u32 index;
  u32 count;

  INLINE bool more() const { return index < count; }
  INLINE void advance() { index += gridDim.x; }
};

INLINE PersistentItems persistent_items(const AttentionArgs& args) { return {blockIdx.x, work_item_count(args)}; }
