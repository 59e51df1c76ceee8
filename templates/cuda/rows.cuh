// Where rows of tensors lie in global memory, for threads that walk from row to row in equal steps. Elements have 2
// bytes; offsets have 64 bits.

// Rows of K or V from one on.
struct KeyRows {
  const char* first;
  i64 stride;  // bytes

  INLINE KeyRows from(int row) const { return {first + row * stride, stride}; }

  struct Walk {
    const char* row;
    i64 step;

    INLINE const char* pointer() const { return row; }
    INLINE void advance() { row += step; }
  };
  INLINE Walk walk(int row, int step) const {
    const char* start = first + row * stride;
    // Hides where it came from: the compiler would multiply anew for every row instead of adding the step.
    asm("" : "+l"(start));
    return {start, step * stride};
  }
};

// Rows of Q, out and LSE are packed: row r of a head pack is query r / PACK of its head r % PACK. PACK is the number of
// query heads a KV head where the whole group shares a block, else 1.
INLINE int query_of(int packed_row) { return packed_row / PACK; }
INLINE int head_of(int packed_row) { return packed_row % PACK; }

struct QueryRows {
  const char* head;  // query 0 of the pack's first head
  i64 row_stride;    // bytes from query to query
  i64 head_stride;   // bytes from head to head
  int first_row;     // packed row of row 0

  INLINE const char* operator[](int row) const {
    const int packed_row = first_row + row;
    return head + query_of(packed_row) * row_stride + head_of(packed_row) * head_stride;
  }

  struct Walk {
    const QueryRows& rows;
    int row;
    int step;

    INLINE const char* pointer() const { return rows[row]; }
    INLINE void advance() { row += step; }
  };
  INLINE Walk walk(int row, int step) const { return {*this, row, step}; }
};
