// Where a head, or the first of a pack, and a batch lie in a tensor map. A map cannot have a stride that is 0 or
// negative (cuTensorMapEncodeTiled), and tensors can: along a stride of 0 the map has one element that stands for all,
// along a negative one it counts from the last element down (runtime/tensor_map.h).
struct MapPlace {
  int head;
  int batch;
};

INLINE int map_coordinate(int index, i64 count, i64 stride) {
  if (stride < 0) {
    return (int)count - 1 - index;
  }
  return stride == 0 ? 0 : index;
}

// In the maps of Q and out; `stride` as in AttentionArgs.
INLINE MapPlace place_of_queries(const AttentionArgs& args, const int64_t (&stride)[3], const WorkItem& item) {
  return {map_coordinate(item.first_head, args.heads_q, stride[2]), map_coordinate(item.batch, args.batch, stride[0])};
}

// In the maps of K and V.
INLINE MapPlace place_of_keys(const AttentionArgs& args, const int64_t (&stride)[3], const WorkItem& item) {
  return {map_coordinate(item.head_kv, args.heads_kv, stride[2]), map_coordinate(item.batch, args.batch, stride[0])};
}
