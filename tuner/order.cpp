#include "tuner/order.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <random>
#include <set>
#include <string>
#include <unordered_set>
#include <utility>

namespace attentune {

namespace {

constexpr std::size_t sample_size = 4096;
// A space of more points than this is drawn from at random: walking it would take longer than measuring.
constexpr std::uint64_t walkable = std::uint64_t{1} << 20;
constexpr std::size_t draws = 8 * sample_size;
// One candidate in this many is taken at random: a prediction that is wrong everywhere in the same way never shows it.
constexpr std::size_t exploration = 4;

// A family whose best is predicted to take so many times as long as another's is not tried further than its default.
constexpr double about_as_fast = 1.25;

using Random = std::mt19937_64;

// std::uniform_int_distribution may differ between libraries; the order must not. The bias is below 2^-40.
std::uint64_t below(Random& random, const std::uint64_t bound) { return random() % bound; }

std::vector<Config> walk(const ConfigSpace& space, Random& random) {
  std::vector<Config> reservoir;
  std::uint64_t seen = 0;
  space.for_each([&](const Config& config) {
    ++seen;
    if (reservoir.size() < sample_size) {
      reservoir.push_back(config);
    } else if (const std::uint64_t place = below(random, seen); place < sample_size) {
      reservoir[place] = config;
    }
    return true;
  });
  return reservoir;
}

std::vector<Config> draw(const ConfigSpace& space, Random& random) {
  std::vector<Config> drawn;
  std::unordered_set<std::string> seen;
  for (std::size_t n = 0; n < draws && drawn.size() < sample_size; ++n) {
    Config config;
    for (const ConfigSpace::Dimension& dimension : space.dimensions()) {
      config.add(dimension.name, dimension.values[below(random, dimension.values.size())], dimension.kind);
    }
    if (!space.why_not(config) && seen.insert(to_text(config)).second) {
      drawn.push_back(std::move(config));
    }
  }
  return drawn;
}

// Candidates of one space, in the order they are to be tried and at random.
struct Sequence {
  const KernelFamily* family = nullptr;
  std::vector<Config> sample;        // shuffled
  std::vector<std::size_t> by_cost;  // places in `sample`
  double least = 0;                  // cost
  std::size_t next = 0;              // of by_cost
};

Sequence sequence_of(const FamilySpace& each, Random& random) {
  Sequence result{.family = each.family,
                  .sample = each.space.raw_size() <= walkable ? walk(each.space, random) : draw(each.space, random)};
  // Shuffled first: sorted by cost and place, ties stand in an order that depends on the seed alone.
  for (std::size_t n = result.sample.size(); n > 1; --n) {
    std::swap(result.sample[n - 1], result.sample[below(random, n)]);
  }
  std::vector<std::pair<double, std::size_t>> by_cost;
  by_cost.reserve(result.sample.size());
  for (std::size_t n = 0; n < result.sample.size(); ++n) {
    const double cost = each.cost(result.sample[n]);
    by_cost.emplace_back(std::isnan(cost) ? std::numeric_limits<double>::infinity() : cost, n);
  }
  std::ranges::sort(by_cost);
  result.least = by_cost.empty() ? std::numeric_limits<double>::infinity() : by_cost.front().first;
  result.by_cost.reserve(by_cost.size());
  for (const auto& [cost, n] : by_cost) {
    result.by_cost.push_back(n);
  }
  return result;
}

// Those whose best is predicted to be about as fast as any.
std::vector<Sequence> promising(const std::vector<FamilySpace>& spaces, Random& random) {
  std::vector<Sequence> sequences;
  sequences.reserve(spaces.size());
  for (const FamilySpace& each : spaces) {
    sequences.push_back(sequence_of(each, random));
  }
  double least = std::numeric_limits<double>::infinity();
  for (const Sequence& each : sequences) {
    least = std::min(least, each.least);
  }
  std::erase_if(sequences,
                [&](const Sequence& each) { return each.sample.empty() || each.least > about_as_fast * least; });
  return sequences;
}

}  // namespace

std::vector<FamilySpace> spaces_of(const std::vector<const KernelFamily*>& families, const Problem& problem,
                                   const Arch& arch) {
  std::vector<FamilySpace> spaces;
  spaces.reserve(families.size());
  for (const KernelFamily* const family : families) {
    spaces.push_back({.family = family,
                      .space = family->space(problem, arch),
                      .default_config = family->default_config(problem, arch),
                      .cost = [family, &problem, &arch](const Config& config) {
                        return family->resources(problem, arch, config).cost;
                      }});
  }
  return spaces;
}

std::vector<FamilyConfig> candidate_order(const OrderRequest& request) {
  std::vector<FamilyConfig> order;
  std::set<std::pair<const KernelFamily*, std::string>> taken;
  const auto take = [&](const FamilyConfig& candidate) {
    if (order.size() < request.limit && taken.emplace(candidate.family, to_text(candidate.config)).second) {
      order.push_back(candidate);
    }
  };
  for (const FamilySpace& each : request.spaces) {
    take({.family = each.family, .config = each.default_config});
  }
  for (const FamilyConfig& candidate : request.preferred) {
    const auto own = std::ranges::find(request.spaces, candidate.family, &FamilySpace::family);
    if (own != request.spaces.end() && !own->space.why_not(candidate.config)) {
      take(candidate);
    }
  }

  Random random(request.seed);
  std::vector<Sequence> sequences = promising(request.spaces, random);
  std::size_t tried = 0;
  for (bool any = true; any && order.size() < request.limit;) {
    any = false;
    // By turns, each by its own predictions: how good they are beside another family's is for the clock to say.
    for (Sequence& each : sequences) {
      if (each.next == each.by_cost.size()) {
        continue;
      }
      any = true;
      take({.family = each.family, .config = each.sample[each.by_cost[each.next++]]});
      if (tried++ % exploration == exploration - 1) {
        // The shuffled sample is a sequence of random picks; take() drops what the other sequence already had.
        const Sequence& from = sequences[below(random, sequences.size())];
        take({.family = from.family, .config = from.sample[below(random, from.sample.size())]});
      }
    }
  }
  return order;
}

}  // namespace attentune
