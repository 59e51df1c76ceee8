// The parts of templates/cuda that are plain arithmetic, compiled as C++: layouts and the readings of masks.
#include <doctest/doctest.h>

#include <algorithm>
#include <cstdint>
#include <random>
#include <set>

#include "generator/expression.h"
#include "generator/mask_runs.h"
#include "templates/attention_args.h"
#include "tests/generator/expression_random.h"

namespace {

using std::max;
using std::min;

// What the files expect of CUDA C++.
#define __device__
#define __forceinline__ inline
#include "templates/cuda/types.cuh"
//
#include "templates/cuda/mask.cuh"
#include "templates/cuda/shared_tile.cuh"
#undef __device__
#undef __forceinline__

using attentune::Interval;
using attentune::Mask;
using attentune::Node;
using attentune::Op;

template <int CHUNKS, bool PADDED>
void check_layout() {
  using Tile = SharedTile<CHUNKS, PADDED>;
  CAPTURE(CHUNKS);
  CAPTURE(PADDED);
  constexpr int rows = 32;
  // Every chunk of every row has a place of its own inside the tile.
  std::set<u32> places;
  for (int row = 0; row < rows; ++row) {
    for (int chunk = 0; chunk < CHUNKS; ++chunk) {
      const u32 offset = Tile::offset(row, chunk);
      CHECK(offset % 16 == 0);
      CHECK(offset < static_cast<u32>(rows * Tile::ROW_BYTES));
      CHECK(places.insert(offset).second);
    }
  }
  // ldmatrix: one chunk of 8 consecutive rows (from a multiple of 8 on) touches 8 different 16-byte bank groups.
  for (int row = 0; row < rows; row += 8) {
    for (int chunk = 0; chunk < CHUNKS; ++chunk) {
      std::set<u32> banks;
      for (int r = 0; r < 8; ++r)
        banks.insert(Tile::offset(row + r, chunk) / 16 % 8);
      CHECK(banks.size() == 8);
    }
  }
  // Moving an address is the offset of where it moves to, in a tile that begins at a multiple of 128.
  for (int row = 0; row < 8; ++row) {
    for (int moved = 0; moved < 24; ++moved) {
      for (int chunk = 0; (row & moved) == 0 && chunk < CHUNKS; ++chunk)
        CHECK(Tile::moved(1024 + Tile::offset(row, chunk), moved, 0) == 1024 + Tile::offset(row + moved, chunk));
    }
  }
  for (int row = 0; row < 16; ++row) {
    for (int chunk = 0; chunk < min(CHUNKS, 2); ++chunk) {
      for (int chunks = 0; chunk + chunks < CHUNKS; chunks += 2) {
        const u32 from = 1024 + Tile::offset(row, chunk);
        CHECK(Tile::moved(from, 16, chunks) == 1024 + Tile::offset(row + 16, chunk + chunks));
      }
    }
  }
}

template <int CHUNKS>
void check_layouts() {
  check_layout<CHUNKS, false>();
  check_layout<CHUNKS, true>();
  if constexpr (CHUNKS > 1)
    check_layouts<CHUNKS - 1>();
}

// The expressions the generator prints, evaluated over the template's helpers.
template <class At>
auto read(const Node& node, const AttentionArgs& args, const At& at) -> decltype(everything(at)) {
  switch (node.op) {
    case Op::causal:
      return causal(at);
    case Op::window:
      return window(at, argument(args, node.first_slot), argument(args, node.first_slot + 1));
    case Op::sink:
      return sink(at, argument(args, node.first_slot));
    case Op::both:
      return both(read(node.operands[0], args, at), read(node.operands[1], args, at));
    case Op::either:
      return either(read(node.operands[0], args, at), read(node.operands[1], args, at));
    default:
      return everything(at);
  }
}

AttentionArgs arguments_of(const Mask& mask) {
  AttentionArgs args{};
  std::copy(mask.arguments.begin(), mask.arguments.end(), args.mask_arguments);
  return args;
}

}  // namespace

TEST_CASE("tiles in shared memory: a place for every chunk and no bank conflict, for every head dim") {
  check_layouts<32>();
}

TEST_CASE("a row of 128 bytes is swizzled as the PTX ISA's 128B mode") {
  for (int row = 0; row < 16; ++row) {
    for (int chunk = 0; chunk < 8; ++chunk) {
      const u32 plain = static_cast<u32>(row * 128 + chunk * 16);
      CHECK(SharedTile<8, false>::offset(row, chunk) == (plain ^ ((plain >> 7 & 7) << 4)));
    }
  }
}

TEST_CASE("masks mean on the device what they mean to the generator") {
  std::mt19937_64 random(5);
  for (int k = 0; k < 300; ++k) {
    const Mask mask = attentune::testing::random_mask(random, 6, 9);
    CAPTURE(to_text(mask));
    const Node& root = mask.structure->root;
    const AttentionArgs args = arguments_of(mask);
    for (int i = -5; i < 20; ++i) {
      for (int j = 0; j < 25; ++j)
        REQUIRE(read(root, args, Position{i - j, j}) == attentune::visible(mask, i, j, 0));
    }
    for (int n = 0; n < 50; ++n) {
      const int i = static_cast<int>(random() % 30) - 10;
      const int j = static_cast<int>(random() % 30);
      const KeyTile tile{i, i + static_cast<int>(random() % 8), j, j + static_cast<int>(random() % 8)};
      const auto expected =
          classify(mask, {.first = tile.i_first, .last = tile.i_last}, {.first = tile.j_first, .last = tile.j_last}, 0);
      REQUIRE(static_cast<int>(read(root, args, tile)) == static_cast<int>(expected));
      for (const Node& run : attentune::visible_runs(root)) {
        const KeyRun got = read(run, args, Rows{tile.i_first, tile.i_last});
        const Interval want = key_run(run, mask.arguments, {.first = tile.i_first, .last = tile.i_last});
        REQUIRE(got.first == want.first);
        REQUIRE(got.last == want.last);
      }
    }
  }
}

TEST_CASE("mask arguments past any length do not overflow") {
  const Mask mask = attentune::parse_mask("window(4611686018427387904,4611686018427387904)&sink(4611686018427387904)");
  const AttentionArgs args = arguments_of(mask);
  const int longest = 1'000'000'000;
  CHECK(read(mask.structure->root, args, Position{longest - 1, 0}));
  CHECK(read(mask.structure->root, args, Position{-2 * longest + 2, longest - 1}) == false);
  const KeyRun run = read(mask.structure->root, args, Rows{-longest, longest});
  CHECK(run.first <= 0);
  CHECK(run.last >= longest);
}
