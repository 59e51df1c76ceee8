#include "tuner/final_round.h"

#include <doctest/doctest.h>

using namespace attentune;

namespace {

// Races by true times, without noise.
RaceContenders exact(const std::vector<double>& truth) {
  return [truth](const std::size_t a, const std::size_t b) {
    return std::optional(
        RaceSamples{.a = std::vector<double>(8, truth.at(a)), .b = std::vector<double>(8, truth.at(b))});
  };
}

}  // namespace

TEST_CASE("default and incumbent race in any case, with the fastest") {
  const std::vector<Contender> contenders{{.time_ms = 9, .is_default = true, .is_incumbent = false},
                                          {.time_ms = 3, .is_default = false, .is_incumbent = false},
                                          {.time_ms = 8, .is_default = false, .is_incumbent = true},
                                          {.time_ms = 1, .is_default = false, .is_incumbent = false},
                                          {.time_ms = 2, .is_default = false, .is_incumbent = false}};
  CHECK(finalists(contenders) == std::vector<std::size_t>{2, 3, 4, 0});
}

TEST_CASE("the fastest wins, and its time and the default's come from one race") {
  const std::vector<Contender> contenders{{.time_ms = 10, .is_default = true, .is_incumbent = false},
                                          {.time_ms = 5, .is_default = false, .is_incumbent = false},
                                          {.time_ms = 6, .is_default = false, .is_incumbent = false}};
  const FinalResult result = run_final(contenders, exact({10, 7, 5}));
  CHECK(result.winner == 2);
  CHECK(result.raced);
  CHECK(result.time.median == 5);
  CHECK(result.default_ms == 10);
}

TEST_CASE("a machine that slows down meanwhile does not make the winner slower than the default") {
  const std::vector<Contender> contenders{{.time_ms = 10, .is_default = true, .is_incumbent = false},
                                          {.time_ms = 5, .is_default = false, .is_incumbent = false},
                                          {.time_ms = 6, .is_default = false, .is_incumbent = false}};
  const std::vector<double> truth{10, 5, 6};
  double slower = 1;
  const FinalResult result = run_final(contenders, [&](const std::size_t a, const std::size_t b) {
    slower *= 3;
    return std::optional(RaceSamples{.a = std::vector<double>(8, slower * truth.at(a)),
                                     .b = std::vector<double>(8, slower * truth.at(b))});
  });
  CHECK(result.winner == 1);
  CHECK(result.time.median == 15);
  CHECK(result.default_ms == 30);
}

TEST_CASE("a tie leaves the incumbent, else the default, in place") {
  const std::vector<Contender> with_incumbent{{.time_ms = 10, .is_default = true, .is_incumbent = false},
                                              {.time_ms = 9.99, .is_default = false, .is_incumbent = true},
                                              {.time_ms = 9.5, .is_default = false, .is_incumbent = false}};
  CHECK(run_final(with_incumbent, exact({10, 10, 9.95})).winner == 1);
  const std::vector<Contender> without{{.time_ms = 10, .is_default = true, .is_incumbent = false},
                                       {.time_ms = 9.5, .is_default = false, .is_incumbent = false}};
  CHECK(run_final(without, exact({10, 9.95})).winner == 0);
  CHECK(run_final(without, exact({10, 9.8})).winner == 1);
}

TEST_CASE("a challenger that breaks in the final loses it") {
  const std::vector<Contender> contenders{{.time_ms = 10, .is_default = true, .is_incumbent = false},
                                          {.time_ms = 1, .is_default = false, .is_incumbent = false}};
  const FinalResult result = run_final(contenders, [](std::size_t, std::size_t) { return std::nullopt; });
  CHECK(result.winner == 0);
  CHECK_FALSE(result.raced);
}

TEST_CASE("without a race a larger margin stands for the missing care") {
  const std::vector<Contender> contenders{{.time_ms = 10, .is_default = true, .is_incumbent = false},
                                          {.time_ms = 9.8, .is_default = false, .is_incumbent = false},
                                          {.time_ms = 8, .is_default = false, .is_incumbent = false}};
  CHECK(decide_without_race(contenders).winner == 2);
  CHECK(decide_without_race(std::span(contenders).first(2)).winner == 0);
}
