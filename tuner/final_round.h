// The final round: the best few raced in turns against each other; who holds the place keeps it unless clearly beaten.
#pragma once

#include <cstddef>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "tuner/sampler.h"
#include "tuner/time_stats.h"

namespace attentune {

// Faster by less than this is a tie, and ties change nothing: a Winner that flips between runs helps nobody.
inline constexpr double final_margin = 0.01;
// Without a race, by single times taken minutes apart.
inline constexpr double unraced_margin = 0.03;
inline constexpr std::size_t most_finalists = 4;

struct Contender {
  double time_ms = 0;  // from its trial
  bool is_default = false;
  bool is_incumbent = false;
};

// Which of the contenders race: default and incumbent always, then the fastest; indices, champion first, then
// challengers by time. The champion is the incumbent, else the default, else the fastest.
[[nodiscard]] std::vector<std::size_t> finalists(std::span<const Contender> contenders);

struct FinalResult {
  std::size_t winner = 0;  // index into contenders
  bool raced = false;
  TimeSummary time;       // of the winner, from its race with the default if there was one; no samples: it did not race
  double default_ms = 0;  // the default's median in a race; 0 when it did not race
};

// race(champion, challenger): samples in turns, or nothing when one of them failed (the challenger then loses).
using RaceContenders = std::function<std::optional<RaceSamples>(std::size_t champion, std::size_t challenger)>;
[[nodiscard]] FinalResult run_final(std::span<const Contender> contenders, const RaceContenders& race);
// The same decision by trial times alone.
[[nodiscard]] FinalResult decide_without_race(std::span<const Contender> contenders);

}  // namespace attentune
