#include "generator/forward_mma_source.h"

#include <array>
#include <string_view>

#include <fmt/format.h>

#include "generator/cuda_source.h"
#include "generator/forward_mma_shape.h"
#include "generator/splits.h"
#include "generator/work_items.h"

namespace attentune {
namespace {

// In the order of their use; mask and score functions stand between.
constexpr std::array<std::string_view, 5> before_expressions{"attention_args.h", "cuda/types.cuh", "cuda/math.cuh",
                                                             "cuda/mask.cuh", "cuda/score.cuh"};
constexpr std::array<std::string_view, 20> after_expressions{
    "cuda/shape.cuh",         "cuda/fragments.cuh",   "cuda/shared_memory.cuh", "cuda/async_copy.cuh",
    "cuda/matrix.cuh",        "cuda/shared_tile.cuh", "cuda/warp_place.cuh",    "cuda/rows.cuh",
    "cuda/work_item.cuh",     "cuda/copy_tile.cuh",   "cuda/tile_sequence.cuh", "cuda/products.cuh",
    "cuda/key_pipeline.cuh",  "cuda/softmax.cuh",     "cuda/merge_warps.cuh",   "cuda/row_end.cuh",
    "cuda/store_partial.cuh", "cuda/epilogue.cuh",    "cuda/forward_mma.cuh",   "cuda/combine_splits.cuh"};

std::string constants(const Problem& p, const MmaShape& shape) {
  const std::array<CudaConstant, 9> values{{{"TILE_M", shape.tile_m},
                                            {"TILE_N", shape.tile_n},
                                            {"WARPS_M", shape.warps_m},
                                            {"WARPS_N", shape.warps_n},
                                            {"STAGES", shape.stages},
                                            {"MIN_BLOCKS", shape.min_blocks},
                                            {"Q_IN_REGISTERS", shape.q_in_registers ? 1 : 0},
                                            {"PADDED", shape.padded ? 1 : 0},
                                            {"PACK", heads_a_block(shape, p)}}};
  return cuda_constants(values);
}

std::vector<LaunchRule> launch_rules(const Problem& p, const MmaShape& shape) {
  return {{.entry = "attentune_forward",
           .grid = {item_count_text(shape, p), "1", "1"},
           .block = {std::to_string(shape.threads()), "1", "1"},
           .shared_bytes = std::to_string(shared_bytes(shape, p)),
           .workspace = partials_workspace(p)},
          combine_launch(p)};
}

}  // namespace

Source mma_source(const Problem& problem, const Arch& arch, const Config& config) {
  const MmaShape shape = mma_shape(config);
  Source source;
  source.language = Language::cuda;
  source.text = cuda_heading("forward_mma", problem, arch, config) + constants(problem, shape) +
                cuda_problem_constants(problem) + cuda_files(before_expressions) + cuda_expressions(problem) +
                cuda_files(after_expressions);
  source.launches = launch_rules(problem, shape);
  return source;
}

}  // namespace attentune
