// forward_wgmma on tensors whose heads or batches have strides that tensor maps cannot have: 0, as of K and V expanded
// over batches or heads, and negative.
#include <doctest/doctest.h>

#include <array>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "generator/error.h"
#include "generator/forward_wgmma.h"
#include "runtime/reference/random_tensors.h"
#include "runtime/reference/verify.h"
#include "tests/simulated/simulated.h"

using namespace attentune;

namespace {

constexpr double all_rows = 1e12;
constexpr int batch_axis = 0;
constexpr int head_axis = 2;

// Every place of the axis is that of index 0.
void expand(TensorView& view, const int axis) { view.stride.at(static_cast<std::size_t>(axis)) = 0; }

// The first of `count` places of the axis becomes the last. Elements have 2 bytes.
void turn_round(TensorView& view, const int axis, const std::int64_t count) {
  std::int64_t& stride = view.stride.at(static_cast<std::size_t>(axis));
  view.data = static_cast<std::uint16_t*>(view.data) + (count - 1) * stride;
  stride = -stride;
}

struct Case {
  std::string name;
  void (*restride)(AttentionTensors& tensors, const Problem& problem);
};

const std::vector<Case>& cases() {
  static const std::vector<Case> all{
      {"K and V expanded over batches",
       [](AttentionTensors& t, const Problem&) {
         expand(t.k, batch_axis);
         expand(t.v, batch_axis);
       }},
      {"K and V expanded over heads",
       [](AttentionTensors& t, const Problem&) {
         expand(t.k, head_axis);
         expand(t.v, head_axis);
       }},
      {"Q and K expanded over both",
       [](AttentionTensors& t, const Problem&) {
         for (TensorView* const view : {&t.q, &t.k}) {
           expand(*view, batch_axis);
           expand(*view, head_axis);
         }
       }},
      {"batches in descending order",
       [](AttentionTensors& t, const Problem& p) {
         for (TensorView* const view : {&t.q, &t.k, &t.v, &t.out})
           turn_round(*view, batch_axis, p.batch);
       }},
      {"heads in descending order",
       [](AttentionTensors& t, const Problem& p) {
         turn_round(t.q, head_axis, p.heads_q);
         turn_round(t.k, head_axis, p.heads_kv);
         turn_round(t.v, head_axis, p.heads_kv);
         turn_round(t.out, head_axis, p.heads_q);
       }},
      {"V and O alone in descending order, K expanded",
       [](AttentionTensors& t, const Problem& p) {
         expand(t.k, head_axis);
         turn_round(t.v, batch_axis, p.batch);
         turn_round(t.out, head_axis, p.heads_q);
       }},
  };
  return all;
}

// Of a pack the heads are a box of Q, and of O where it is copied: their strides have to be above 0.
bool copies_heads_together(const Config& config, const AttentionTensors& tensors) {
  return config.word("pack") == "yes" &&
         (tensors.q.stride[head_axis] <= 0 || (config.word("store") == "copy" && tensors.out.stride[head_axis] <= 0));
}

}  // namespace

TEST_CASE("forward_wgmma reads and writes heads and batches in any order") {
  const ForwardWgmma family;
  const auto device = open_or_skip("sim:sm_90a,seed=1");
  if (!device)
    return;
  const auto executor = make_pool(0);
  const Problem problem =
      parse_problem("dtype=bf16 batch=3 heads=4/2 head_dim=72 seq=70/150 mask=causal() outputs=out,lse");
  for (const auto& [pack, store] : {std::pair{"no", "copy"}, {"no", "threads"}, {"yes", "copy"}, {"yes", "threads"}}) {
    const Config config =
        parse_config(fmt::format("tile_m=64 pack={} tile_n=64 stages_k=2 stages_v=2 overlap=yes turns=no rescale=lazy "
                                 "store={} | splits=1 order=0",
                                 pack, store));
    CAPTURE(to_text(config));
    const auto kernel = load(device, family, problem, config);
    for (const auto& [name, restride] : cases()) {
      CAPTURE(name);
      CallBuffers buffers(problem);
      buffers.fill(1, Values::normal, *executor);
      buffers.poison();
      AttentionTensors tensors = buffers.tensors();
      restride(tensors, problem);
      const Workspace workspace(kernel->workspace_bytes(problem));
      const auto launch = [&] { kernel->bind(problem, tensors, workspace.data(), workspace.size()).launch(); };
      if (copies_heads_together(config, tensors)) {
        CHECK_THROWS_AS(launch(), RefusalError);
        continue;
      }
      launch();
      const Verdict verdict = check_result(problem, tensors, *executor, all_rows);
      CHECK_MESSAGE(verdict.passed, verdict.sentence);
      CHECK(buffers.guard_damage().empty());
    }
  }
}
