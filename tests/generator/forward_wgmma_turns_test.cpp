// Ping-pong: the very text kernels are made of says at which named barriers each warpgroup waits and arrives; here that
// is played through in random order.
#include <doctest/doctest.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <random>
#include <string>
#include <vector>

namespace {

struct Event {
  bool waits;  // else it arrives and goes on
  int barrier;
};
std::vector<Event> trace;

// What the files expect of CUDA C++. The instructions leave a trace.
#define __device__
#define __forceinline__ inline
#define INLINE inline
enum : int { TAKE_TURNS = 1, WARPGROUP = 128 };
namespace two {
enum : int { CONSUMERS = 2, THREADS = 384 };
#include "templates/cuda/named_barriers.cuh"
template <NamedBarrier BARRIER>
void wait_named() {
  trace.push_back({true, BARRIER});
}
template <NamedBarrier BARRIER>
void arrive_named() {
  trace.push_back({false, BARRIER});
}
#include "templates/cuda/warpgroup_turns.cuh"
}  // namespace two
namespace three {
enum : int { CONSUMERS = 3, THREADS = 512 };
#include "templates/cuda/named_barriers.cuh"
template <NamedBarrier BARRIER>
void wait_named() {
  trace.push_back({true, BARRIER});
}
template <NamedBarrier BARRIER>
void arrive_named() {
  trace.push_back({false, BARRIER});
}
#include "templates/cuda/warpgroup_turns.cuh"
}  // namespace three
#undef INLINE
#undef __device__
#undef __forceinline__

// A barrier ends a phase when as many threads have come as it is for.
struct Barrier {
  int threads = 0;
  int phase = 0;
};

struct Player {
  std::vector<Event> events;
  std::size_t next = 0;
  int waits_for = -1;  // the phase whose end it waits for
};

// Every warpgroup plays its events; returns the order in which turns began, or "stuck".
template <typename ThreadsOf>
std::string play(std::vector<Player> players, ThreadsOf threads_of, std::uint32_t seed) {
  std::array<Barrier, 16> barriers;
  std::string order;
  std::mt19937 random(seed);
  for (int idle = 0; idle < 1000; ++idle) {
    const std::size_t who = random() % players.size();
    Player& player = players[who];
    if (player.next == player.events.size())
      continue;
    const Event& event = player.events[player.next];
    Barrier& barrier = barriers[static_cast<std::size_t>(event.barrier)];
    if (player.waits_for < 0) {
      if (event.waits)
        player.waits_for = barrier.phase;
      barrier.threads += WARPGROUP;
      CHECK(barrier.threads <= threads_of(event.barrier));
      if (barrier.threads == threads_of(event.barrier)) {
        barrier.threads = 0;
        ++barrier.phase;
      }
    }
    if (event.waits && barrier.phase == player.waits_for)
      continue;
    if (event.waits)
      order += static_cast<char>('0' + who);
    player.waits_for = -1;
    ++player.next;
    idle = 0;
  }
  for (const Player& player : players) {
    if (player.next != player.events.size())
      return "stuck";
  }
  for (const Barrier& barrier : barriers)
    CHECK(barrier.threads == 0);  // nothing stays half complete
  return order;
}

template <typename Begin, typename Wait, typename Pass, typename End>
std::vector<Player> players(int consumers, int turns, Begin begin, Wait wait, Pass pass, End end) {
  std::vector<Player> result;
  for (int consumer = 0; consumer < consumers; ++consumer) {
    trace.clear();
    begin(consumer);
    for (int turn = 0; turn < turns; ++turn) {
      wait(consumer);
      pass(consumer);
    }
    end(consumer);
    result.push_back({.events = trace});
  }
  return result;
}

}  // namespace

TEST_CASE("consumer warpgroups take turns, round and round, and leave no barrier half complete") {
  for (std::uint32_t seed = 0; seed < 20; ++seed) {
    const auto threads_of_two = [](int barrier) { return two::threads_of(static_cast<two::NamedBarrier>(barrier)); };
    const auto threads_of_three = [](int barrier) {
      return three::threads_of(static_cast<three::NamedBarrier>(barrier));
    };
    // The last 0 takes the turn that is left.
    CHECK(play(players(2, 3, two::begin_turns, two::wait_turn, two::pass_turn, two::end_turns), threads_of_two, seed) ==
          "0101010");
    CHECK(play(players(3, 2, three::begin_turns, three::wait_turn, three::pass_turn, three::end_turns),
               threads_of_three, seed) == "0120120");
    // The model sees mistakes: nobody passes the first turn on.
    const auto nothing = [](int) {};
    CHECK(play(players(2, 3, nothing, two::wait_turn, two::pass_turn, two::end_turns), threads_of_two, seed) ==
          "stuck");
  }
  CHECK(two::threads_of(two::ALL_THREADS) == 384);
  CHECK(three::threads_of(three::ALL_THREADS) == 512);
}
