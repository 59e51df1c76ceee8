// The rings of forward_wgmma's producer and consumers: the very text kernels are made of, as C++, against mbarriers
// written out.
#include <doctest/doctest.h>

#include <array>
#include <cstdint>
#include <random>
#include <vector>

namespace {

// What the files expect of CUDA C++.
#define __device__
#define __forceinline__ inline
#include "templates/cuda/types.cuh"
//
#include "templates/cuda/ring.cuh"
#undef __device__
#undef __forceinline__

// PTX ISA 9.7.13.15: a phase ends with the last arrival expected; a wait for a parity passes once the phase of that
// parity has ended, so on a fresh barrier at once for parity 1.
struct Barrier {
  int expected = 1;
  int pending = 1;
  u32 phase = 0;

  [[nodiscard]] bool passes(u32 parity) const { return phase % 2 != parity; }
  void arrive() {
    if (--pending == 0) {
      pending = expected;
      ++phase;
    }
  }
};

struct Outcome {
  bool in_order = true;     // every consumer read every value once, in order
  bool intact = true;       // nothing was overwritten before all had read it
  bool unambiguous = true;  // no wait for a phase before the last one: its parity would say nothing
  bool finished = true;

  bool operator==(const Outcome&) const = default;
};

constexpr int consumers = 3;

// One producer and three consumers take steps in random order. `flip` is a mistake in the producer's parity.
template <int STAGES>
Outcome run(std::uint32_t seed, int values, u32 flip) {
  struct Stage {
    Barrier full{.expected = 1, .pending = 1};
    Barrier empty{.expected = consumers, .pending = consumers};
    int value = -1;
    int readers_left = 0;
  };
  std::array<Stage, STAGES> stages;
  RingPlace<STAGES> filling;
  int filled = 0;
  std::array<RingPlace<STAGES>, consumers> emptying;
  std::array<int, consumers> read{};

  Outcome outcome;
  std::mt19937 random(seed);
  for (int idle = 0; idle < 1000;) {
    const auto actor = static_cast<std::size_t>(random() % (consumers + 1));
    ++idle;
    if (actor == consumers) {
      Stage& stage = stages[static_cast<std::size_t>(filling.stage)];
      // The round that must have been emptied is filled / STAGES - 1; the barrier may not be further.
      outcome.unambiguous &= stage.empty.phase <= static_cast<u32>(filled / STAGES);
      if (filled == values || !stage.empty.passes(filling.parity_to_fill() ^ flip))
        continue;
      outcome.intact &= stage.readers_left == 0;
      stage.readers_left = consumers;
      stage.value = filled++;
      stage.full.arrive();
      filling.advance();
    } else {
      Stage& stage = stages[static_cast<std::size_t>(emptying[actor].stage)];
      outcome.unambiguous &= stage.full.phase <= static_cast<u32>(read[actor] / STAGES + 1);
      if (read[actor] == values || !stage.full.passes(emptying[actor].parity_to_empty()))
        continue;
      outcome.in_order &= stage.value == read[actor];
      ++read[actor];
      --stage.readers_left;
      stage.empty.arrive();
      emptying[actor].advance();
    }
    idle = 0;
  }
  for (const int count : read)
    outcome.finished &= count == values;
  return outcome;
}

template <int STAGES>
void check_ring() {
  for (std::uint32_t seed = 0; seed < 50; ++seed) {
    CAPTURE(STAGES);
    CAPTURE(seed);
    CHECK(run<STAGES>(seed, 37, 0) == Outcome{});
    // The model sees mistakes: the producer waits for ever, or overwrites.
    CHECK_FALSE(run<STAGES>(seed, 37, 1) == Outcome{});
  }
}

}  // namespace

TEST_CASE("rings of 1 to 4 stages hand every tile over once, in order and intact") {
  check_ring<1>();
  check_ring<2>();
  check_ring<3>();
  check_ring<4>();
}
