#include "runtime/known_winners.h"

#include <algorithm>

#include "generator/key.h"

namespace attentune {
namespace {

// Rendering costs about a millisecond: a class with hundreds of stale Winners must not make a lookup wait for all.
constexpr std::size_t most_rendered = 8;

// Nothing when today's generator does not know the family or the Config any more.
std::optional<UsableWinner> usable(const Bucket& bucket, const Winner& winner, const Problem& problem,
                                   const Device& device) {
  std::optional<Rendering> rendering = render(winner, problem, device.arch(), device.compiler());
  if (!rendering) {
    return std::nullopt;
  }
  const bool current = is_current(winner, rendering);
  return UsableWinner{.winner = winner, .bucket = bucket, .rendering = *std::move(rendering), .current = current};
}

}  // namespace

KnownWinners::KnownWinners(const Store& store, const Problem& problem, const Device& device,
                           const std::string_view policy) {
  for (Winner& winner : store.winners_of_class(class_text(problem), to_text(device.identity()), policy)) {
    try {
      Bucket bucket = parse_bucket(winner.bucket_text);
      rows_.push_back({.bucket = std::move(bucket), .winner = std::move(winner)});
    } catch (const RefusalError&) {
      continue;
    }
  }
}

std::vector<const KnownWinners::Row*> KnownWinners::by_distance(const Problem& problem) const {
  const Bucket bucket = bucket_of(problem);
  std::vector<const Row*> rows;
  rows.reserve(rows_.size());
  for (const Row& row : rows_) {
    rows.push_back(&row);
  }
  // In the Store's order where two are equally far, so that every rank chooses the same.
  std::ranges::sort(rows, [&](const Row* const a, const Row* const b) {
    const double distance_a = distance(a->bucket, bucket);
    const double distance_b = distance(b->bucket, bucket);
    return distance_a != distance_b ? distance_a < distance_b : a < b;
  });
  return rows;
}

std::optional<UsableWinner> KnownWinners::exact(const Problem& problem, const Device& device) const {
  const Bucket bucket = bucket_of(problem);
  const auto found = std::ranges::find(rows_, bucket, &Row::bucket);
  return found == rows_.end() ? std::nullopt : usable(found->bucket, found->winner, problem, device);
}

std::optional<UsableWinner> KnownWinners::nearest(const Problem& problem, const Device& device,
                                                  const bool current) const {
  std::size_t rendered = 0;
  for (const Row* const row : by_distance(problem)) {
    if (rendered++ == most_rendered) {
      break;
    }
    std::optional<UsableWinner> winner = usable(row->bucket, row->winner, problem, device);
    if (winner && winner->current == current) {
      return winner;
    }
  }
  return std::nullopt;
}

std::optional<UsableWinner> KnownWinners::nearest_current(const Problem& problem, const Device& device) const {
  return nearest(problem, device, true);
}

std::optional<UsableWinner> KnownWinners::nearest_stale(const Problem& problem, const Device& device) const {
  return nearest(problem, device, false);
}

}  // namespace attentune
