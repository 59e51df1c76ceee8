#include <cstddef>
#include <cstdint>
#include <utility>
#include <vector>

#include "runtime/simulator/ptx/control_flow.h"

namespace attentune::ptx {
namespace {

using Graph = std::vector<std::vector<std::int32_t>>;

// Appends the nodes that `start` leads to and that were not visited, each after those it leads to.
void append_postorder(const Graph& graph, std::int32_t start, std::vector<bool>& visited,
                      std::vector<std::int32_t>& order) {
  struct Step {
    std::int32_t node;
    std::size_t next_edge;
  };
  std::vector<Step> path = {{start, 0}};
  visited[static_cast<std::size_t>(start)] = true;
  while (!path.empty()) {
    Step& step = path.back();
    const std::vector<std::int32_t>& edges = graph[static_cast<std::size_t>(step.node)];
    if (step.next_edge == edges.size()) {
      order.push_back(step.node);
      path.pop_back();
      continue;
    }
    const std::int32_t next = edges[step.next_edge++];
    if (!visited[static_cast<std::size_t>(next)]) {
      visited[static_cast<std::size_t>(next)] = true;
      path.push_back({next, 0});
    }
  }
}

// The graph with its arrows turned round and a way to the end from everywhere.
Graph reversed_and_completed(const Graph& successors) {
  const std::size_t end = successors.size();
  Graph reversed(end + 1);
  for (std::size_t node = 0; node < end; ++node) {
    for (const std::int32_t next : successors[node])
      reversed[static_cast<std::size_t>(next)].push_back(static_cast<std::int32_t>(node));
  }
  std::vector<bool> visited(end + 1, false);
  std::vector<std::int32_t> order;
  append_postorder(reversed, static_cast<std::int32_t>(end), visited, order);
  for (std::size_t node = end; node-- > 0;) {
    if (visited[node])
      continue;
    reversed[end].push_back(static_cast<std::int32_t>(node));
    append_postorder(reversed, static_cast<std::int32_t>(node), visited, order);
  }
  return reversed;
}

}  // namespace

std::vector<std::int32_t> immediate_post_dominators(const Graph& successors) {
  const std::size_t end = successors.size();
  const Graph reversed = reversed_and_completed(successors);
  std::vector<bool> visited(end + 1, false);
  std::vector<std::int32_t> order;
  append_postorder(reversed, static_cast<std::int32_t>(end), visited, order);
  std::vector<std::int32_t> rank(end + 1, 0);  // the end has the highest
  for (std::size_t position = 0; position < order.size(); ++position)
    rank[static_cast<std::size_t>(order[position])] = static_cast<std::int32_t>(position);

  // What every way from a node to the end passes through forms a chain; two chains meet where their ranks agree.
  constexpr std::int32_t unknown = -1;
  std::vector<std::int32_t> dominator(end + 1, unknown);
  dominator[end] = static_cast<std::int32_t>(end);
  const auto meet = [&](std::int32_t left, std::int32_t right) {
    while (left != right) {
      std::int32_t& lower = rank[static_cast<std::size_t>(left)] < rank[static_cast<std::size_t>(right)] ? left : right;
      lower = dominator[static_cast<std::size_t>(lower)];
    }
    return left;
  };

  // The nodes made to lead to the end have it as a successor that `successors` does not show.
  Graph completed = successors;
  for (const std::int32_t node : reversed[end])
    completed[static_cast<std::size_t>(node)].push_back(static_cast<std::int32_t>(end));
  for (bool changed = true; changed;) {
    changed = false;
    for (auto position = order.rbegin() + 1; position != order.rend(); ++position) {
      const auto node = static_cast<std::size_t>(*position);
      std::int32_t nearest = unknown;
      for (const std::int32_t next : completed[node]) {
        if (dominator[static_cast<std::size_t>(next)] != unknown)
          nearest = nearest == unknown ? next : meet(nearest, next);
      }
      changed |= std::exchange(dominator[node], nearest) != nearest;
    }
  }
  dominator.pop_back();
  return dominator;
}

}  // namespace attentune::ptx
