#include <doctest/doctest.h>

#include <chrono>
#include <string>

#include "tests/simulator/hopper_attention.h"

using namespace attentune::simulator;

TEST_CASE("hopper: attention by TMA and wgmma matches f64 in both modes and in several orders") {
  for (const int head_dim : {64, 128, 256}) {
    for (const Asynchrony asynchrony : {Asynchrony::eager, Asynchrony::lazy}) {
      for (const std::uint64_t seed : {1U, 2U, 3U}) {
        HopperAttention attention{.head_dim = head_dim,
                                  .options = {.seed = seed, .asynchrony = asynchrony, .strict = true}};
        attention.len_kv = 4 * attention.tile_n();
        CAPTURE(head_dim);
        CAPTURE(seed);
        CAPTURE(static_cast<int>(asynchrony));
        CHECK(attention.run() < 0.01);
      }
    }
  }
}

TEST_CASE("hopper: several heads and batches") {
  CHECK(HopperAttention{.len_q = 256, .heads = 2, .batch = 2}.run() < 0.01);
}
