// Basic blocks and post-dominators, on drawn graphs and against the definition.
#include <doctest/doctest.h>

#include <cstddef>
#include <cstdint>
#include <random>
#include <string>
#include <vector>

#include "generator/error.h"
#include "runtime/simulator/ptx/control_flow.h"
#include "runtime/simulator/ptx/module.h"

namespace {

using attentune::ptx::Block;
using attentune::ptx::control_flow;
using attentune::ptx::ControlFlow;
using attentune::ptx::immediate_post_dominators;
using Graph = std::vector<std::vector<std::int32_t>>;
using Nodes = std::vector<std::int32_t>;

ControlFlow flow_of(const std::string& body) {
  const std::string text = ".version 9.0\n.target sm_80\n.address_size 64\n.entry k() {\n.reg .pred p; .reg .b32 r;\n";
  return control_flow(attentune::ptx::parse(text + body + "}").entries.at(0));
}

// Whether a way leads from `start` to the end that does not touch `avoided`.
bool reaches_end(const Graph& graph, std::int32_t start, std::int32_t avoided) {
  const auto end = static_cast<std::int32_t>(graph.size());
  std::vector<bool> seen(graph.size() + 1, false);
  Nodes pending = {start};
  while (!pending.empty()) {
    const std::int32_t node = pending.back();
    pending.pop_back();
    if (node == avoided || seen[static_cast<std::size_t>(node)])
      continue;
    if (node == end)
      return true;
    seen[static_cast<std::size_t>(node)] = true;
    for (const std::int32_t next : graph[static_cast<std::size_t>(node)])
      pending.push_back(next);
  }
  return false;
}

// By definition: of the nodes that every way to the end passes through, the one that all others come after.
std::int32_t post_dominator_by_definition(const Graph& graph, std::int32_t node) {
  const auto end = static_cast<std::int32_t>(graph.size());
  Nodes all;
  for (std::int32_t other = 0; other < end; ++other) {
    if (other != node && !reaches_end(graph, node, other))
      all.push_back(other);
  }
  for (const std::int32_t nearest : all) {
    bool others_follow = true;
    for (const std::int32_t other : all)
      others_follow &= other == nearest || !reaches_end(graph, nearest, other);
    if (others_follow)
      return nearest;
  }
  return end;
}

}  // namespace

TEST_CASE("post-dominators of drawn graphs") {
  SUBCASE("if and else") { CHECK(immediate_post_dominators({{1, 2}, {3}, {3}, {4}}) == Nodes{3, 3, 3, 4}); }
  SUBCASE("if without else") { CHECK(immediate_post_dominators({{1, 2}, {2}, {3}}) == Nodes{2, 2, 3}); }
  SUBCASE("nested ifs") {
    CHECK(immediate_post_dominators({{1, 5}, {2, 3}, {4}, {4}, {6}, {6}, {7}}) == Nodes{6, 4, 4, 4, 6, 6, 7});
  }
  SUBCASE("a loop") { CHECK(immediate_post_dominators({{1}, {1, 2}, {3}}) == Nodes{1, 2, 3}); }
  SUBCASE("a loop with a break and a continue") {
    // 1 head, 2 continues or goes on, 3 breaks or goes on, 4 latch, 5 after
    CHECK(immediate_post_dominators({{1}, {2, 5}, {1, 3}, {4, 5}, {1}, {6}}) == Nodes{1, 5, 5, 5, 1, 6});
  }
  SUBCASE("a loop with exits to different places") {
    CHECK(immediate_post_dominators({{1}, {2, 3}, {1, 4}, {5}, {5}, {6}}) == Nodes{1, 5, 5, 5, 5, 6});
  }
  SUBCASE("a return in the middle: ways meet only at the end") {
    CHECK(immediate_post_dominators({{1, 2}, {4}, {3}, {4}}) == Nodes{4, 4, 3, 4});
  }
  SUBCASE("irreducible: a loop entered at two places") {
    CHECK(immediate_post_dominators({{1, 2}, {2}, {1, 3}, {4}}) == Nodes{2, 2, 3, 4});
    CHECK(immediate_post_dominators({{1, 2}, {2, 3}, {1, 3}, {4}}) == Nodes{3, 3, 3, 4});
  }
  SUBCASE("an endless loop with a branch inside: its ways meet at the latch") {
    CHECK(immediate_post_dominators({{1}, {2, 3}, {4}, {4}, {1}}) == Nodes{1, 4, 4, 4, 5});
  }
  SUBCASE("an endless loop beside a way out: nobody waits for the lanes in the loop") {
    CHECK(immediate_post_dominators({{1, 2}, {1}, {3}}) == Nodes{3, 3, 3});
  }
  SUBCASE("two endless loops") { CHECK(immediate_post_dominators({{1, 2}, {1}, {2}}) == Nodes{3, 3, 3}); }
  SUBCASE("one block and none") {
    CHECK(immediate_post_dominators({{1}}) == Nodes{1});
    CHECK(immediate_post_dominators({}) == Nodes{});
  }
}

TEST_CASE("post-dominators of random graphs are those of the definition") {
  std::mt19937 random(20240607);
  int checked = 0;
  for (int round = 0; round < 3000; ++round) {
    const std::int32_t size = 1 + static_cast<std::int32_t>(random() % 9);
    Graph graph(static_cast<std::size_t>(size));
    for (Nodes& successors : graph) {
      const int edges = 1 + static_cast<int>(random() % 3);
      for (int edge = 0; edge < edges; ++edge)
        successors.push_back(static_cast<std::int32_t>(random() % static_cast<unsigned>(size + 1)));
    }
    bool all_end = true;
    for (std::int32_t node = 0; node < size; ++node)
      all_end &= reaches_end(graph, node, -1);
    if (!all_end)
      continue;
    ++checked;
    const Nodes found = immediate_post_dominators(graph);
    for (std::int32_t node = 0; node < size; ++node)
      CHECK(found.at(static_cast<std::size_t>(node)) == post_dominator_by_definition(graph, node));
  }
  CHECK(checked > 500);
}

TEST_CASE("post-dominators of a long chain of branches take linear time") {
  Graph graph;
  const std::int32_t size = 200'000;
  for (std::int32_t node = 0; node < size; ++node)
    graph.push_back({node + 1, node + 2 <= size ? node + 2 : size});
  const Nodes found = immediate_post_dominators(graph);
  CHECK(found.back() == size);
  CHECK(found.front() == size);
}

TEST_CASE("blocks end at branches and returns and begin at their targets") {
  const ControlFlow flow = flow_of(
      "mov.b32 r, 0;\n"           // 0
      "LOOP: add.u32 r, r, 1;\n"  // 1
      "@p bra DONE;\n"            // 2
      "@!p ret;\n"                // 3
      "bra.uni LOOP;\n"           // 4
      "mov.b32 r, 2;\n"           // 5, never entered
      "DONE: ret;\n");            // 6
  REQUIRE(flow.blocks.size() == 6);
  CHECK(flow.block_of == Nodes{0, 1, 1, 2, 3, 4, 5});
  CHECK(flow.blocks[1].first == 1);
  CHECK(flow.blocks[1].end == 3);
  CHECK(flow.blocks[0].successors == Nodes{1});
  CHECK(flow.blocks[1].successors == Nodes{2, 5});
  CHECK(flow.blocks[2].successors == Nodes{3, 6});
  CHECK(flow.blocks[3].successors == Nodes{1});
  CHECK(flow.blocks[4].successors == Nodes{5});
  CHECK(flow.blocks[5].successors == Nodes{6});
  CHECK(flow.blocks[1].post_dominator == 6);
  CHECK(flow.blocks[2].post_dominator == 6);
  CHECK(flow.blocks[3].post_dominator == 1);
  Nodes reachable;
  for (const Block& block : flow.blocks)
    reachable.push_back(block.reachable ? 1 : 0);
  CHECK(reachable == Nodes{1, 1, 1, 1, 0, 1});
}

TEST_CASE("an indirect branch leads to every block of its table") {
  const ControlFlow flow = flow_of(
      "table: .branchtargets A, B, C, A;\n"
      "brx.idx r, table;\n"
      "A: bra.uni C;\n"
      "B: mov.b32 r, 1;\n"
      "C: ret;\n");
  REQUIRE(flow.blocks.size() == 4);
  CHECK(flow.blocks[0].successors == Nodes{1, 2, 3});
  CHECK(flow.blocks[0].post_dominator == 3);
}

TEST_CASE("a branch to the end, a body without instructions, a branch without a label") {
  const ControlFlow flow = flow_of("@p bra END;\nmov.b32 r, 1;\nEND:");
  REQUIRE(flow.blocks.size() == 2);
  CHECK(flow.blocks[0].successors == Nodes{1, 2});
  CHECK(flow.blocks[0].post_dominator == 2);
  CHECK(flow_of("").blocks.empty());
  CHECK_THROWS_AS(flow_of("bra 3;"), attentune::RefusalError);
  CHECK_THROWS_AS(flow_of("bra;"), attentune::RefusalError);
}
