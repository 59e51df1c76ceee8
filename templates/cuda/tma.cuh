// The tensor memory accelerator: copies boxes of a tensor to shared memory (PTX ISA 9.7.9.27).

// cuTensorMapEncodeTiled's record of a tensor and its box, a kernel parameter.
struct alignas(64) TensorMap {
  unsigned char bytes[128];
};

// Brings the record itself near, before it is first needed.
INLINE void prefetch_map(const TensorMap& map) { asm volatile("prefetch.tensormap [%0];" : : "l"(&map) : "memory"); }

// Begins the copy of the box at (column, head, row, batch), and tells `barrier` of its bytes as they arrive: always
// those of the whole box, for what lies outside the tensor is filled with zeros. One thread calls it.
INLINE void copy_box(u32 shared, const TensorMap& map, u32 barrier, int column, int head, int row, int batch) {
  asm volatile(
      "cp.async.bulk.tensor.4d.shared::cluster.global.tile.mbarrier::complete_tx::bytes "
      "[%0], [%1, {%3, %4, %5, %6}], [%2];"
      :
      : "r"(shared), "l"(&map), "r"(barrier), "r"(column), "r"(head), "r"(row), "r"(batch)
      : "memory");
}

// Begins the copy of a box from shared memory to (column, head, row, batch); what lies outside the tensor is left out.
// One thread calls it, after publish_to_copies() of all that wrote the box; commit_stores() closes its group.
INLINE void store_box(const TensorMap& map, u32 shared, int column, int head, int row, int batch) {
  asm volatile("cp.async.bulk.tensor.4d.global.shared::cta.tile.bulk_group [%0, {%2, %3, %4, %5}], [%1];"
               :
               : "l"(&map), "r"(shared), "r"(column), "r"(head), "r"(row), "r"(batch)
               : "memory");
}

// This thread's writes to shared memory become known to the copy engine (PTX ISA 9.7.13.4, proxies).
INLINE void publish_to_copies() { asm volatile("fence.proxy.async.shared::cta;" : : : "memory"); }

INLINE void commit_stores() { asm volatile("cp.async.bulk.commit_group;" : : : "memory"); }

// Waits until the boxes this thread stores have been read, and their memory may be written again.
INLINE void wait_stores_read() { asm volatile("cp.async.bulk.wait_group.read 0;" : : : "memory"); }
