#include "tuner/final_round.h"

#include <algorithm>
#include <numeric>
#include <tuple>
#include <utility>

namespace attentune {

namespace {
constexpr int most_rounds = 3;
}

std::vector<std::size_t> finalists(const std::span<const Contender> contenders) {
  std::vector<std::size_t> chosen(contenders.size());
  std::iota(chosen.begin(), chosen.end(), std::size_t{0});
  const auto rank = [&](const std::size_t n) {
    return contenders[n].is_incumbent ? 0 : contenders[n].is_default ? 1 : 2;
  };
  std::ranges::sort(chosen, {}, [&](const std::size_t n) { return std::tuple(rank(n), contenders[n].time_ms, n); });
  chosen.resize(std::min(chosen.size(), most_finalists));
  if (chosen.size() > 2) {
    // The challengers in the order of their times, so that the fastest is beaten by nobody slower.
    std::ranges::sort(chosen.begin() + 1, chosen.end(), {},
                      [&](const std::size_t n) { return std::pair(contenders[n].time_ms, n); });
  }
  return chosen;
}

FinalResult decide_without_race(const std::span<const Contender> contenders) {
  const std::vector<std::size_t> order = finalists(contenders);
  FinalResult result{.winner = order.front(), .raced = false, .time = {}, .default_ms = 0};
  for (const std::size_t challenger : order) {
    if (contenders[challenger].time_ms < (1 - unraced_margin) * contenders[result.winner].time_ms) {
      result.winner = challenger;
    }
  }
  return result;
}

FinalResult run_final(const std::span<const Contender> contenders, const RaceContenders& race) {
  const std::vector<std::size_t> order = finalists(contenders);
  FinalResult result{.winner = order.front(), .raced = false, .time = {}, .default_ms = 0};
  bool default_faced_winner = contenders[result.winner].is_default;
  // Races until it is certain that the challenger takes the place, or looks as if it never would.
  const auto face = [&](const std::size_t challenger) {
    std::optional<RaceSamples> samples = race(result.winner, challenger);
    if (!samples) {
      return;
    }
    PairedDecision decision = decide(samples->a, samples->b, final_margin);
    // It looks faster and is not certain: more samples tell.
    for (int round = 1; round < most_rounds && !decision.challenger_wins && decision.ratio < 1 - final_margin;
         ++round) {
      const std::optional<RaceSamples> more = race(result.winner, challenger);
      if (!more) {
        return;
      }
      samples->a.insert(samples->a.end(), more->a.begin(), more->a.end());
      samples->b.insert(samples->b.end(), more->b.begin(), more->b.end());
      decision = decide(samples->a, samples->b, final_margin);
    }
    result.raced = true;
    const bool wins = decision.challenger_wins;
    const bool default_in_it = contenders[result.winner].is_default || contenders[challenger].is_default;
    if (default_in_it) {
      result.default_ms = median(contenders[challenger].is_default ? samples->b : samples->a);
    }
    default_faced_winner = default_in_it || (!wins && default_faced_winner);
    if (default_in_it || !default_faced_winner)  // else the winner's time stays that of its race with the default
      result.time = summarize(wins ? samples->b : samples->a);
    result.winner = wins ? challenger : result.winner;
  };
  for (std::size_t n = 1; n < order.size(); ++n) {
    face(order[n]);
  }
  // The one comparison users read is winner against default: taken in one race, and decided by it.
  const auto place = std::ranges::find_if(order, [&](const std::size_t n) { return contenders[n].is_default; });
  if (!default_faced_winner && place != order.end()) {
    face(*place);
  }
  return result;
}

}  // namespace attentune
