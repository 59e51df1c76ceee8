#include "generator/forward_mma_source.h"

#include <array>
#include <string_view>
#include <utility>

#include <fmt/format.h>

#include "generator/forward_mma_shape.h"
#include "generator/key.h"
#include "generator/mask_runs.h"
#include "templates/templates.h"

namespace attentune {
namespace {

// In the order of their use; mask and score functions stand between.
constexpr std::array<std::string_view, 5> before_expressions{"attention_args.h", "cuda/types.cuh", "cuda/math.cuh",
                                                             "cuda/mask.cuh", "cuda/score.cuh"};
constexpr std::array<std::string_view, 16> after_expressions{
    "cuda/shape.cuh",         "cuda/async_copy.cuh", "cuda/matrix.cuh",       "cuda/shared_tile.cuh",
    "cuda/warp_place.cuh",    "cuda/rows.cuh",       "cuda/work_item.cuh",    "cuda/copy_tile.cuh",
    "cuda/tile_sequence.cuh", "cuda/products.cuh",   "cuda/key_pipeline.cuh", "cuda/softmax.cuh",
    "cuda/merge_warps.cuh",   "cuda/epilogue.cuh",   "cuda/forward_mma.cuh",  "cuda/combine_splits.cuh"};

// Enumerators, not constexpr variables: NVRTC would put those into global memory.
std::string constants(const Problem& p, const MmaShape& shape) {
  const std::array<std::pair<std::string_view, std::int64_t>, 17> values{
      {{"TILE_M", shape.tile_m},
       {"TILE_N", shape.tile_n},
       {"WARPS_M", shape.warps_m},
       {"WARPS_N", shape.warps_n},
       {"STAGES", shape.stages},
       {"MIN_BLOCKS", shape.min_blocks},
       {"Q_IN_REGISTERS", shape.q_in_registers ? 1 : 0},
       {"PADDED", shape.padded ? 1 : 0},
       {"GROUP", p.group()},
       {"PACK", heads_a_block(shape, p)},
       {"HEAD_DIM_QK", p.head_dim_qk},
       {"HEAD_DIM_V", p.head_dim_v},
       {"IS_BF16", p.q == Dtype::bf16 ? 1 : 0},
       {"HAS_LSE", p.lse ? 1 : 0},
       {"HAS_SINK_LOGIT", p.sink_logit ? 1 : 0},
       {"HAS_SCORE", p.score.is_identity() ? 0 : 1},
       {"KEY_RUNS", static_cast<std::int64_t>(visible_runs(p.mask.structure->root).size())}}};
  std::string text = "enum : int {\n";
  for (const auto& [name, value] : values)
    text += fmt::format("  {} = {},\n", name, value);
  return text + "};\n";
}

std::string section(std::string_view name) { return fmt::format("\n// ---- {}\n{}", name, templates::text(name)); }

// With splits=1 there is nothing to combine: a launch of no blocks, and a workspace of no bytes.
std::vector<LaunchRule> launch_rules(const Problem& p, const MmaShape& shape) {
  const std::int64_t pack = heads_a_block(shape, p);
  const std::string heads = pack > 1 ? "heads_kv" : "heads_q";
  const std::string rows = pack > 1 ? "len_q * group" : "len_q";
  const std::string shares = "min(splits - 1, 1) * splits * batch * heads_q * len_q";
  const std::vector<WorkspaceSlice> workspace{
      {.name = "partial_out", .bytes = fmt::format("{} * {}", shares, 4 * p.head_dim_v)},
      {.name = "partial_log2", .bytes = fmt::format("{} * 4", shares)}};
  return {{.entry = "attentune_forward",
           .grid = {fmt::format("splits * batch * {} * ceil_div({}, {})", heads, rows, shape.tile_m), "1", "1"},
           .block = {std::to_string(shape.threads()), "1", "1"},
           .shared_bytes = std::to_string(shared_bytes(shape, p)),
           .workspace = workspace},
          {.entry = "attentune_combine",
           .grid = {"min(splits - 1, 1) * ceil_div(batch * heads_q * len_q, 4)", "1", "1"},
           .block = {"128", "1", "1"},
           .workspace = workspace,
           .depends_on_previous = true}};
}

}  // namespace

Source mma_source(const Problem& problem, const Arch& arch, const Config& config) {
  const MmaShape shape = mma_shape(config);
  Source source;
  source.language = Language::cuda;
  source.text = fmt::format(
      "// attentune forward_mma\n// class:  {}\n// arch:   {}\n// config: {}\n// By hand: nvcc -cubin -arch={} "
      "FILE.cu\n",
      class_text(problem), short_name(arch), config.compile_text(), arch.name);
  source.text += constants(problem, shape);
  for (const std::string_view name : before_expressions)
    source.text += section(name);
  source.text += "\n// ---- generated from the problem\n" + mask_cuda(*problem.mask.structure) + '\n' +
                 score_cuda(*problem.score.structure);
  for (const std::string_view name : after_expressions)
    source.text += section(name);
  source.launches = launch_rules(problem, shape);
  return source;
}

}  // namespace attentune
