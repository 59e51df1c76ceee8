// The end of a tune: who won, by racing the best few, and its publication.
#include <algorithm>
#include <cstddef>
#include <utility>

#include "generator/config.h"
#include "tuner/tune_run.h"

namespace attentune {

namespace {

// Of the budget, kept for the final round, and one race's share of it.
constexpr double final_share = 0.2;
constexpr double longest_race_s = 2;
constexpr double shortest_race_s = 0.1;

}  // namespace

double TuneRun::race_s() const {
  const double share = final_share * request_.budget.seconds / static_cast<double>(most_finalists);
  return std::clamp(share, shortest_race_s, longest_race_s);
}

std::optional<RaceSamples> TuneRun::race(Ranked& champion, Ranked& challenger) {
  const SamplePlan plan{.samples = request_.policy.full_repeats,
                        .minimum_ms = request_.policy.minimum_ms,
                        .limit_ms = race_s() * 1000,
                        .least = 4};
  Trial::Race outcome = trial_.race({.config = champion.row.config, .binary = *champion.built.binary},
                                    {.config = challenger.row.config, .binary = *challenger.built.binary}, plan,
                                    std::max(champion.row.time_ms, challenger.row.time_ms));
  return std::move(outcome.samples);
}

bool TuneRun::is_incumbent(const Measurement& row) const {
  const std::optional<Measurement>& incumbent = history_.incumbent();
  return incumbent && row.binary_key == incumbent->binary_key && row.config == incumbent->config;
}

// A budget that ended before the incumbent's turn must not cost it its place.
void TuneRun::defend_incumbent() {
  const std::optional<Measurement>& incumbent = history_.incumbent();
  const auto same = [&](const Measurement& row) { return is_incumbent(row); };
  if (!incumbent || std::ranges::any_of(result_.measurements, same) ||
      std::ranges::any_of(ranked_, same, &Ranked::row)) {
    return;
  }
  Ranked entry{.built = {}, .row = *incumbent, .is_default = false, .from_before = true};
  entry.built.candidate = {.family = *std::ranges::find(families_, incumbent->family, &KernelFamily::name),
                           .config = parse_config(incumbent->config)};
  entry.row.time_ms *= scale_;
  ranked_.push_back(std::move(entry));
}

std::vector<Contender> TuneRun::contenders() const {
  std::vector<Contender> all;
  all.reserve(ranked_.size());
  for (const Ranked& entry : ranked_) {
    all.push_back(
        {.time_ms = entry.row.time_ms, .is_default = entry.is_default, .is_incumbent = is_incumbent(entry.row)});
  }
  return all;
}

void TuneRun::decide() {
  defend_incumbent();
  // Whoever holds the place, the default, and the fastest; those known only by their row are built and verified again.
  const std::vector<Contender> all = contenders();
  std::vector<Ranked> field;
  std::vector<Contender> in_field;
  for (const std::size_t n : all.empty() ? std::vector<std::size_t>() : finalists(all)) {
    Ranked& entry = ranked_[n];
    if (entry.from_before) {
      entry.built = builder_.build(entry.built.candidate);
      if (entry.built.binary == nullptr) {
        continue;
      }
      trial_.verify({.config = entry.row.config, .binary = *entry.built.binary}, entry.row);
      if (entry.row.outcome != Outcome::ok) {
        store_.publish(record_of(entry.row));
        result_.measurements.push_back(entry.row);
        continue;
      }
    }
    field.push_back(entry);
    in_field.push_back(all[n]);
  }
  if (field.empty()) {
    return;
  }
  FinalResult result = decide_without_race(in_field);
  if (field.size() > 1) {
    meter_.stage(TuneProgress::Stage::final_round, monotonic_ms());
    result = run_final(in_field, [&](const std::size_t champion, const std::size_t challenger) {
      return race(field[champion], field[challenger]);
    });
  }
  crown(result, field);
}

// The decision of a cancelled tune, by what it has measured: nothing more is built, verified or raced.
void TuneRun::settle() {
  defend_incumbent();
  // Of those known only by their row one is in its place already, verified: the incumbent.
  std::erase_if(ranked_, [&](const Ranked& entry) {
    return entry.row.outcome != Outcome::ok || (entry.from_before && !is_incumbent(entry.row));
  });
  if (ranked_.empty()) {
    return;
  }
  const FinalResult result = decide_without_race(contenders());
  if (ranked_[result.winner].from_before) {
    result_.winner = winner_of(*history_.incumbent(), default_ms_);
  } else {
    crown(result, ranked_);
  }
}

void TuneRun::crown(const FinalResult& result, std::vector<Ranked>& field) {
  std::vector<Record> others;
  for (std::size_t n = 0; n < field.size(); ++n) {
    field[n].row.in_final = result.raced;
    if (n != result.winner && result.raced) {
      others.push_back(record_of(field[n].row, field[n].built));
    }
  }
  Ranked& best = field[result.winner];
  if (result.time.samples > 0) {
    best.row.time_ms = result.time.median;
    best.row.spread = result.time.spread;
    best.row.repeats = result.time.samples;
  }
  best.row.detail.clear();
  const double default_ms = result.default_ms > 0 ? result.default_ms : default_ms_;
  if (!others.empty()) {
    store_.publish(others);
  }
  store_.publish_winner(record_of(best.row, best.built), default_ms);
  result_.winner = winner_of(best.row, default_ms);
}

Winner TuneRun::winner_of(const Measurement& row, const double default_ms) const {
  return {.class_text = key_.class_text, .bucket_text = key_.bucket_text, .measurement = row, .default_ms = default_ms};
}

}  // namespace attentune
