#include "runtime/simulator/execution/grid.h"

#include <algorithm>
#include <memory>
#include <string>
#include <vector>

#include <fmt/format.h>

#include "runtime/simulator/execution/cluster.h"

namespace attentune::simulator {

namespace {

// Turns of each block in which nothing changed that others could see, before everybody is taken to wait in vain. A turn
// is a thousand steps or so; the longest stretch of private arithmetic of a kernel is far below.
constexpr std::size_t idle_turns_a_block = 500;

// How often the time limits of all try_waits may pass with nothing happening in between: whoever only polls polls
// again.
constexpr int most_time_limits = 3;

std::uint64_t resident_clusters(const Launch& launch, const Multiprocessor& limits) {
  // 1 KiB a block is the system's (facts of compute capability 8.0 and up).
  const std::uint64_t by_shared = limits.shared_bytes / (launch.shared_bytes + 1024);
  const std::uint64_t by_warps = limits.warps / launch.warps;
  const std::uint64_t per_multiprocessor =
      std::max<std::uint64_t>(std::min({by_shared, by_warps, std::uint64_t{limits.blocks}}), 1);
  // The blocks of a cluster are resident together, on however many multiprocessors that takes.
  const std::uint64_t size = launch.shape.cluster.count();
  const std::uint64_t room = per_multiprocessor * static_cast<std::uint64_t>(launch.options.sms) / size;
  return std::min(std::max<std::uint64_t>(room, 1), launch.shape.grid.count() / size);
}

[[noreturn]] void stop(FaultKind kind, const Launch& launch, const std::vector<std::unique_ptr<Cluster>>& clusters,
                       const std::string& sentence) {
  std::string text = sentence;
  for (const auto& cluster : clusters)
    text += cluster->describe();
  text += "\n ";
  throw Fault(kind, text, {.kernel = launch.kernel.name});
}

}  // namespace

void run_grid(Launch& launch, const Multiprocessor& limits) {
  const std::uint64_t size = launch.shape.cluster.count();
  const std::uint64_t total = launch.shape.grid.count() / size;
  std::uint64_t next = 0;
  std::vector<std::unique_ptr<Cluster>> clusters;
  for (std::uint64_t slot = 0; slot < resident_clusters(launch, limits); ++slot) {
    clusters.push_back(std::make_unique<Cluster>(launch, static_cast<std::uint32_t>(slot * size)));
    clusters.back()->start(next++);
  }
  std::uint64_t progress = launch.progress;
  std::size_t idle = 0;
  int limits_passed = 0;
  std::uint64_t progress_at_limit = ~progress;
  while (!clusters.empty()) {
    const std::size_t first = launch.random.below(static_cast<std::uint32_t>(clusters.size()));
    std::size_t chosen = first;
    while (!clusters[chosen]->can_run() && (chosen = (chosen + 1) % clusters.size()) != first) {
    }
    if (!clusters[chosen]->can_run()) {
      if (std::ranges::any_of(clusters, [](const auto& cluster) { return cluster->complete_late(); }))
        continue;
      if (launch.progress != progress_at_limit)
        limits_passed = 0;
      progress_at_limit = launch.progress;
      if (++limits_passed > most_time_limits)
        stop(FaultKind::deadlock, launch, clusters, "nobody can go on:");
      launch.time_limit_passed = true;
      for (const auto& cluster : clusters)
        cluster->pass_time_limit();
      continue;
    }
    clusters[chosen]->turn();
    if (clusters[chosen]->done()) {
      if (next < total)
        clusters[chosen]->start(next++);
      else
        clusters.erase(clusters.begin() + static_cast<std::ptrdiff_t>(chosen));
    }
    idle = launch.progress == progress ? idle + 1 : 0;
    progress = launch.progress;
    // Whoever spins may be waiting for an operation that is under way.
    if (idle > 0)
      std::ranges::any_of(clusters, [](const auto& cluster) { return cluster->complete_late(); });
    if (idle > idle_turns_a_block * (clusters.size() + 1))
      stop(FaultKind::no_progress, launch, clusters, "everybody runs on and nothing changes any more:");
    if (launch.instructions > launch.options.most_instructions)
      stop(FaultKind::no_progress, launch, clusters,
           fmt::format(
               "more than {} warp instructions in one launch, taken for a loop without end; if it has one, raise "
               "the limit: instructions=N in the simulator's name. It stands here:",
               launch.options.most_instructions));
  }
}

}  // namespace attentune::simulator
