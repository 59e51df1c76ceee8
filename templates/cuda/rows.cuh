// Where rows of tensors lie in global memory, for threads that walk from row to row in equal steps. Elements have 2
// bytes; offsets have 64 bits.

// Rows equally far apart.
struct RowWalk {
  const char* row;
  i64 step;  // bytes

  // Hides where `start` came from: the compiler would multiply anew for every row instead of adding the step.
  INLINE RowWalk(const char* start, i64 step) : row(start), step(step) { asm("" : "+l"(row)); }

  INLINE const char* pointer() const { return row; }
  INLINE void advance() { row += step; }
};

// Rows of K or V from one on. Their numbers are not negative: u32 spares the extension of a sign.
struct KeyRows {
  const char* first;
  i64 stride;  // bytes

  INLINE KeyRows from(u32 row) const { return {first + row * stride, stride}; }

  template <int STEP>
  INLINE RowWalk walk(u32 row) const {
    return {first + row * stride, STEP * stride};
  }
};

// Rows of Q, out and LSE are packed: row r of a head pack is query r / PACK of its head r % PACK. PACK is the number of
// query heads a KV head where the whole group shares a block, else 1.
INLINE int query_of(int packed_row) { return (int)((u32)packed_row / PACK); }
INLINE int head_of(int packed_row) { return (int)((u32)packed_row % PACK); }

struct QueryRows {
  const char* head;  // query 0 of the pack's first head
  i64 row_stride;    // bytes from query to query
  i64 head_stride;   // bytes from head to head
  int first_row;     // packed row of row 0

  INLINE const char* operator[](int row) const {
    const int packed_row = first_row + row;
    return head + query_of(packed_row) * row_stride + head_of(packed_row) * head_stride;
  }

  // Where a step may lead to another head: the address of every row is computed.
  template <int STEP>
  struct PackedWalk {
    const QueryRows& rows;
    int row;

    INLINE const char* pointer() const { return rows[row]; }
    INLINE void advance() { row += STEP; }
  };

  template <int STEP>
  INLINE auto walk(int row) const {
    if constexpr (STEP % PACK == 0) {
      return RowWalk((*this)[row], STEP / PACK * row_stride);
    } else {
      return PackedWalk<STEP>{*this, row};
    }
  }
};
