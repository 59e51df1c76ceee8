// How the reference walks its rows: rows of one (batch, KV head) together, keys in blocks converted once a group.
#pragma once

#include <algorithm>
#include <bit>
#include <cstdint>
#include <span>
#include <vector>

#include "generator/problem.h"
#include "runtime/executor.h"
#include "runtime/reference/row.h"
#include "runtime/tensor.h"

namespace attentune {

// Rows that read the same K and V: positions in the caller's list.
struct RowGroup {
  std::int64_t batch = 0;
  std::int64_t head_kv = 0;
  std::vector<std::size_t> members;
};

// Every row once, in groups small enough that their scores (one a row and key) stay in a few MB.
[[nodiscard]] std::vector<RowGroup> group_rows(const Problem& problem, std::span<const Row> rows);

// Where element 0 of a (batch, row, head) stands.
[[nodiscard]] inline std::int64_t row_offset(const TensorView& view, std::int64_t batch, std::int64_t row,
                                             std::int64_t head) noexcept {
  return batch * view.stride[0] + row * view.stride[1] + head * view.stride[2];
}

inline constexpr std::int64_t key_block = 64;

// One row of any operand. Real is double or float; both hold every value of every dtype exactly.
template <typename Real>
void load_row(const TensorView& view, std::int64_t batch, std::int64_t row, std::int64_t head, std::int64_t dim,
              Real* to) {
  const std::int64_t offset = row_offset(view, batch, row, head);
  if (view.dtype == Dtype::f32) {
    const auto* const from = static_cast<const float*>(view.data) + offset;
    for (std::int64_t c = 0; c < dim; ++c)
      to[c] = static_cast<Real>(from[c]);
  } else if (view.dtype == Dtype::bf16) {  // the common case deserves a loop without calls
    const auto* const from = static_cast<const std::uint16_t*>(view.data) + offset;
    for (std::int64_t c = 0; c < dim; ++c)
      to[c] = static_cast<Real>(std::bit_cast<float>(std::uint32_t{from[c]} << 16));
  } else {
    for (std::int64_t c = 0; c < dim; ++c)
      to[c] = static_cast<Real>(load_element(view.data, offset + c, view.dtype));
  }
}

// Keys [first, first + count) of one (batch, KV head), transposed: to[c * key_block + j]. Columns past count are zero.
template <typename Real>
void load_keys_transposed(const TensorView& view, std::int64_t batch, std::int64_t head, std::int64_t first,
                          std::int64_t count, std::int64_t dim, Real* to) {
  std::fill_n(to, dim * key_block, Real{0});
  std::vector<Real> key(static_cast<std::size_t>(dim));
  for (std::int64_t j = 0; j < count; ++j) {
    load_row(view, batch, first + j, head, dim, key.data());
    for (std::int64_t c = 0; c < dim; ++c)
      to[c * key_block + j] = key[static_cast<std::size_t>(c)];
  }
}

// scores[j] = sum over c of q[c] * keys[c * key_block + j], each summed in order of c.
template <typename Real>
void dot_block(const Real* q, const Real* keys, std::int64_t dim, Real* scores) {
  constexpr std::int64_t width = 16;  // sums that stay in registers
  for (std::int64_t from = 0; from < key_block; from += width) {
    Real sum[width] = {};
    for (std::int64_t c = 0; c < dim; ++c) {
      const Real* const column = keys + c * key_block + from;
      for (std::int64_t j = 0; j < width; ++j)
        sum[j] += q[c] * column[j];
    }
    for (std::int64_t j = 0; j < width; ++j)
      scores[from + j] = sum[j];
  }
}

// Which keys of the group's rows are visible: one byte a (member, key), and whether any member sees key block b.
struct GroupVisibility {
  std::vector<std::uint8_t> visible;  // [members, len_kv]
  std::vector<std::uint8_t> blocks;   // [key blocks]
  std::vector<std::int64_t> count;    // [members]
};
[[nodiscard]] GroupVisibility visibility_of(const Problem& problem, std::span<const Row> rows, const RowGroup& group);

// Calls body(group) for every group, spread over the executor's workers.
template <typename Body>
void for_each_group(const std::vector<RowGroup>& groups, Executor& executor, const Body& body) {
  struct Context {
    const std::vector<RowGroup>& groups;
    const Body& body;
  };
  Context context{groups, body};
  executor.parallel_for(
      static_cast<std::int64_t>(groups.size()), 1,
      [](void* opaque, int, std::int64_t begin, std::int64_t end) {
        const auto& call = *static_cast<const Context*>(opaque);
        for (std::int64_t index = begin; index < end; ++index)
          call.body(call.groups[static_cast<std::size_t>(index)]);
      },
      &context);
}

}  // namespace attentune
