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

struct Sampled {
  double cost = 0;
  FamilyConfig candidate;
};

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
  std::vector<Sampled> sample;
  for (const FamilySpace& each : request.spaces) {
    for (Config& config : each.space.raw_size() <= walkable ? walk(each.space, random) : draw(each.space, random)) {
      const double cost = each.cost(config);
      sample.push_back({.cost = std::isnan(cost) ? std::numeric_limits<double>::infinity() : cost,
                        .candidate = {.family = each.family, .config = std::move(config)}});
    }
  }
  // Shuffled first: sorted by cost and place, ties stand in an order that depends on the seed alone.
  for (std::size_t n = sample.size(); n > 1; --n) {
    std::swap(sample[n - 1], sample[below(random, n)]);
  }
  std::vector<std::pair<double, std::size_t>> by_cost;
  by_cost.reserve(sample.size());
  for (std::size_t n = 0; n < sample.size(); ++n) {
    by_cost.emplace_back(sample[n].cost, n);
  }
  std::ranges::sort(by_cost);

  // The shuffled sample is its own sequence of random picks; take() drops what the other sequence already had.
  std::size_t random_next = 0;
  for (std::size_t n = 0; n < by_cost.size() && order.size() < request.limit; ++n) {
    take(sample[by_cost[n].second].candidate);
    if (n % exploration == exploration - 1 && random_next < sample.size()) {
      take(sample[random_next++].candidate);
    }
  }
  return order;
}

}  // namespace attentune
