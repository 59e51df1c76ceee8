#include "generator/forward_wgmma_source.h"

#include <array>
#include <string>
#include <string_view>
#include <vector>

#include <fmt/format.h>

#include "generator/cuda_source.h"
#include "generator/forward_wgmma_shape.h"
#include "generator/splits.h"
#include "generator/wgmma_cuda.h"
#include "generator/work_items.h"

namespace attentune {
namespace {

// In the order of their use; what the generator writes stands between.
constexpr std::array<std::string_view, 5> before_expressions{"attention_args.h", "cuda/types.cuh", "cuda/math.cuh",
                                                             "cuda/mask.cuh", "cuda/score.cuh"};
constexpr std::array<std::string_view, 33> after_expressions{"cuda/warpgroup_shape.cuh",
                                                             "cuda/fragments.cuh",
                                                             "cuda/shared_memory.cuh",
                                                             "cuda/ring.cuh",
                                                             "cuda/mbarrier.cuh",
                                                             "cuda/watchdog.cuh",
                                                             "cuda/named_barriers.cuh",
                                                             "cuda/bar_sync.cuh",
                                                             "cuda/tma.cuh",
                                                             "cuda/wgmma.cuh",
                                                             "cuda/matrix_descriptor.cuh",
                                                             "cuda/slabs.cuh",
                                                             "cuda/pipeline.cuh",
                                                             "cuda/warp_roles.cuh",
                                                             "cuda/key_steps.cuh",
                                                             "cuda/block_memory.cuh",
                                                             "cuda/warp_place.cuh",
                                                             "cuda/rows.cuh",
                                                             "cuda/work_item.cuh",
                                                             "cuda/map_place.cuh",
                                                             "cuda/persistent_items.cuh",
                                                             "cuda/tile_sequence.cuh",
                                                             "cuda/produce_tiles.cuh",
                                                             "cuda/warpgroup_products.cuh",
                                                             "cuda/warpgroup_turns.cuh",
                                                             "cuda/softmax.cuh",
                                                             "cuda/lazy_rescale.cuh",
                                                             "cuda/row_end.cuh",
                                                             "cuda/quad_transpose.cuh",
                                                             "cuda/store_partial.cuh",
                                                             "cuda/store_fragments.cuh",
                                                             "cuda/store_copies.cuh",
                                                             "cuda/consume_tiles.cuh"};
constexpr std::array<std::string_view, 2> kernels{"cuda/forward_wgmma.cuh", "cuda/combine_splits.cuh"};

std::string constants(const Problem& p, const WgmmaShape& shape) {
  const RegisterSplit registers = register_split(shape.consumers());
  const std::array<CudaConstant, 11> values{{{"TILE_M", shape.tile_m},
                                             {"TILE_N", shape.tile_n},
                                             {"STAGES_K", shape.stages_k},
                                             {"STAGES_V", shape.stages_v},
                                             {"OVERLAP", shape.overlap ? 1 : 0},
                                             {"TAKE_TURNS", shape.take_turns ? 1 : 0},
                                             {"RESCALE_LAZY", shape.rescale_lazily ? 1 : 0},
                                             {"STORE_BY_COPY", shape.store_by_copy ? 1 : 0},
                                             {"PRODUCER_REGISTERS", registers.producer},
                                             {"CONSUMER_REGISTERS", registers.consumer},
                                             {"PACK", heads_a_block(shape, p)}}};
  return cuda_constants(values);
}

std::string instructions(const Problem& p, const WgmmaShape& shape) {
  return "\n// S = Q K^T: 64 rows by TILE_N keys, 16 columns of Q and K.\n" +
         wgmma_cuda({.name = "wgmma_qk", .columns = shape.tile_n, .dtype = p.q}) +
         "\n// O += P V: 64 rows by HEAD_DIM_V columns, 16 keys; P from registers.\n" +
         wgmma_cuda({.name = "wgmma_pv",
                     .columns = p.head_dim_v,
                     .dtype = p.q,
                     .a = WgmmaForm::A::registers,
                     .b_by_rows = true});
}

// Boxes of 64 columns, one head or the heads of a pack, and so many of their rows.
TensorMapSpec tile_of(std::string_view tensor, std::int64_t heads, std::int64_t rows) {
  return {.tensor = std::string(tensor),
          .box = {"64", std::to_string(heads), std::to_string(rows / heads), "1"},
          .swizzle = "128"};
}

std::vector<LaunchRule> launch_rules(const Problem& p, const WgmmaShape& shape) {
  const std::int64_t pack = heads_a_block(shape, p);
  // Where O is not copied out, its map is never used and only has to be sound.
  const TensorMapSpec out = shape.store_by_copy ? tile_of("out", pack, warp_rows) : tile_of("out", 1, 1);
  return {{.entry = "attentune_forward",
           .grid = {fmt::format("min(workers, {})", item_count_text(shape, p)), "1", "1"},
           .block = {std::to_string(shape.threads()), "1", "1"},
           .shared_bytes = std::to_string(block_layout(shape, p).bytes),
           .parameters = {"args", "tensor_map:0", "tensor_map:1", "tensor_map:2", "tensor_map:3"},
           .tensor_maps = {tile_of("q", pack, shape.tile_m), tile_of("k", 1, shape.tile_n),
                           tile_of("v", 1, shape.tile_n), out},
           .workspace = partials_workspace(p)},
          combine_launch(p)};
}

}  // namespace

Source wgmma_source(const Problem& problem, const Arch& arch, const Config& config) {
  const WgmmaShape shape = wgmma_shape(config);
  Source source;
  source.language = Language::cuda;
  source.text = cuda_heading("forward_wgmma", problem, arch, config) + constants(problem, shape) +
                cuda_problem_constants(problem) + cuda_files(before_expressions) + cuda_expressions(problem) +
                instructions(problem, shape) + cuda_files(after_expressions) + cuda_files(kernels);
  source.launches = launch_rules(problem, shape);
  return source;
}

}  // namespace attentune
