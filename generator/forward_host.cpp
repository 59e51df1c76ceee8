#include "generator/forward_host.h"

#include <algorithm>
#include <array>
#include <set>

#include <fmt/format.h>

#include "generator/host_config.h"
#include "generator/host_cost.h"
#include "generator/host_isa.h"
#include "generator/host_layout.h"
#include "generator/host_target.h"
#include "generator/host_template.h"
#include "generator/key.h"
#include "generator/text.h"
#include "generator/visible_keys.h"
#include "templates/templates.h"

namespace attentune {
namespace {

using namespace host;

constexpr std::int64_t max_head_dim = 576;
constexpr std::int64_t max_group = 1 << 16;
constexpr double max_scratch_bytes = 4 << 20;
constexpr double max_packed_bytes = 1 << 30;
constexpr std::int64_t max_stream_rows = 32;  // from there on packing pays
constexpr std::string_view host_template = "host/forward.ll";

// Micro-kernels a row tile is high.
constexpr std::array<int, 12> heights{1, 2, 3, 4, 6, 8, 12, 16, 24, 32, 48, 64};
constexpr std::int64_t max_tile_m = 384;  // as in templates/host/constants.h
constexpr std::array<int, 9> tiles_n{32, 48, 64, 96, 128, 192, 256, 384, 512};

// Packing is shared by the row tiles of a KV head: with one of them there is nobody to share with.
bool whole_pays(const Problem& p, const HostConfig& config) {
  return row_count(p) > config.tile_m && packed_bytes(p, config) <= max_packed_bytes;
}

bool reads_v_in_place(const Problem& p) { return p.v == Dtype::f32 && p.head_dim_v % lanes == 0; }

bool has_host_template() {
  const auto all = templates::entries();
  return std::any_of(all.begin(), all.end(), [](const auto& entry) { return entry.name == host_template; });
}

int dtype_constant(Dtype dtype) { return dtype == Dtype::f32 ? 0 : dtype == Dtype::f16 ? 1 : 2; }

std::optional<Refusal> dtype_refusal(const Problem& problem) {
  const std::array<std::pair<std::string_view, Dtype>, 4> operands{
      {{"dtype", problem.q}, {"k", problem.k}, {"v", problem.v}, {"out", problem.out}}};
  for (const auto& [field, dtype] : operands) {
    if (is_fp8(dtype)) {
      return Refusal{std::string(field), std::string(attentune::name(dtype)), "forward_host serves f32, f16 and bf16",
                     fmt::format("use {}=bf16", field)};
    }
  }
  return std::nullopt;
}

bool all_bf16(const Problem& p) { return p.q == Dtype::bf16 && p.k == Dtype::bf16 && p.v == Dtype::bf16; }

bool serves(Product product, const Problem& problem, const Arch& arch, int width) {
  if (product == Product::fma)
    return true;
  // Tiles multiply other dtypes as sums of bf16 (templates/host/terms.h).
  return product == Product::tile ? multiplies_bf16_tiles(arch, width)
                                  : multiplies_bf16_pairs(arch, width) && all_bf16(problem);
}

// Can pack=none use it? Tiles take K as it lies, in whole ones of 32 of d.
bool streams(Product product, const Problem& problem) {
  return product == Product::fma || (product == Product::tile && all_bf16(problem) && problem.head_dim_qk % 32 == 0);
}

// Rules every point that renders keeps: they read nothing of the problem but its class, so that a Config found for one
// bucket renders for any other.
ConfigSpace class_space(const Problem& problem, const Arch& arch) {
  const int widest = vector_bits(arch);
  std::vector<std::string> widths{std::to_string(widest)};
  if (widest == 512)
    widths.emplace_back("256");
  std::vector<std::string> products;
  for (const Product product : {Product::fma, Product::dot, Product::tile}) {
    if (serves(product, problem, arch, widest))
      products.emplace_back(product_words[static_cast<std::size_t>(product)]);
  }
  std::vector<std::string> micro_words;
  std::set<std::int64_t> tiles_m;
  for (const Micro micro : all_micros()) {
    micro_words.push_back(to_text(micro));
    for (const int height : heights) {
      if (micro.rows * height <= max_tile_m)
        tiles_m.insert(micro.rows * height);
    }
  }
  ConfigSpace space;
  space.add({"width", ChoiceKind::compile, std::move(widths), "bits of the vector registers used"});
  space.add({"product", ChoiceKind::compile, std::move(products),
             "what multiplies: f32 FMA, AVX512-BF16 pairs (dot), AMX-BF16 tiles (tile; f32 and f16 as sums of bf16)"});
  space.add({"micro", ChoiceKind::compile, std::move(micro_words),
             "rows x vectors of 16 the micro-kernel keeps in registers; pack=none: rows x keys"});
  space.add({"unroll", ChoiceKind::compile, {"1", "2"}, "steps of depth between two branches"});
  space.add({"tile_m", ChoiceKind::compile, words(tiles_m), "rows (queries x heads of a group) of a task"});
  space.add({"tile_n", ChoiceKind::compile, words(tiles_n), "keys a step of the online softmax takes"});
  space.add({"pack",
             ChoiceKind::compile,
             {"task", "k", "whole", "none"},
             "who packs K and V: each task; each task K alone; one launch before, for all tasks; nobody"});
  space.add({"grain", ChoiceKind::launch, {"1", "4"}, "tasks a worker claims at once"});
  space.add({"split", ChoiceKind::launch, {"1", "2", "4", "8", "16", "32"}, "parts the keys are split into"});

  space.require("product", "dtypes, instructions and a width that go with it", [problem, arch](const Config& config) {
    const HostConfig shape = HostConfig::of(config);
    return serves(shape.product, problem, arch, shape.width);
  });
  space.require("micro", "sums that fit the registers and hide latency (product=tile: 32x2)",
                [arch](const Config& config) {
                  const HostConfig shape = HostConfig::of(config);
                  return is_worthwhile(shape.micro, shape.product, arch, shape.width);
                });
  space.require("unroll", "a product other than tile", [](const Config& config) {
    const HostConfig shape = HostConfig::of(config);
    return shape.unroll == 1 || shape.product != Product::tile;
  });
  space.require("tile_m", fmt::format("to be the rows of micro times one of {}", fmt::join(heights, " ")),
                [](const Config& config) {
                  const HostConfig shape = HostConfig::of(config);
                  return shape.tile_m % shape.micro.rows == 0 &&
                         std::find(heights.begin(), heights.end(), shape.tile_m / shape.micro.rows) != heights.end();
                });
  space.require("pack", "more scratch than a worker may have", [problem](const Config& config) {
    return static_cast<double>(scratch_bytes(problem, HostConfig::of(config))) <= max_scratch_bytes;
  });
  // A panel is packed whole.
  space.require("pack", "a tile_n of whole panels", [](const Config& config) {
    const HostConfig shape = HostConfig::of(config);
    return (shape.pack == Pack::none && shape.product == Product::fma) ||
           shape.tile_n % (shape.micro.vectors * lanes) == 0;
  });
  space.require("pack",
                fmt::format("heads and a product that read K and V in place, unroll=1, a micro of few rows, tile_m to "
                            "{} and tile_n to 256",
                            max_stream_rows),
                [problem](const Config& config) {
                  const HostConfig shape = HostConfig::of(config);
                  return shape.pack != Pack::none ||
                         (streams(shape.product, problem) && shape.unroll == 1 && streams(shape.micro) &&
                          shape.tile_m <= max_stream_rows && shape.tile_n <= 256);
                });
  space.require("pack", "product=fma, and V that is read in place", [problem](const Config& config) {
    const HostConfig shape = HostConfig::of(config);
    return shape.pack != Pack::k || (reads_v_in_place(problem) && shape.product == Product::fma);
  });
  return space;
}

// Does splitting give more workers something to do, each part being worth a task?
bool split_pays(const Problem& p, const HostConfig& config, std::int64_t split) {
  constexpr std::int64_t enough_tasks = 128;
  const std::int64_t tasks = p.batch * (config.pack == Pack::none ? 1 : p.heads_kv);
  return split == 1 ||
         (row_count(p) <= config.tile_m && tasks * split <= enough_tasks && p.len_kv >= 2 * split * config.tile_n);
}

// Row tiles of equal size, at most `most` rows.
std::int64_t default_tile_m(std::int64_t rows, Micro micro, std::int64_t most) {
  const std::int64_t wanted = ceil_div(rows, ceil_div(rows, most));
  std::int64_t tile_m = micro.rows;
  for (const int height : heights) {
    if (micro.rows * height > max_tile_m)
      break;
    tile_m = micro.rows * height;
    if (tile_m >= wanted)
      break;
  }
  return tile_m;
}

std::int64_t default_tile_n(const Problem& problem, HostConfig config, std::int64_t most) {
  const std::int64_t panel = config.micro.vectors * lanes;
  std::int64_t tile_n = 0;
  for (const int candidate : tiles_n) {
    if ((config.pack != Pack::none || config.product == Product::tile) && candidate % panel != 0)
      continue;
    config.tile_n = candidate;
    if (tile_n != 0 && (candidate > most || tile_n >= problem.len_kv ||
                        static_cast<double>(scratch_bytes(problem, config)) > max_scratch_bytes))
      break;
    tile_n = candidate;
  }
  return tile_n;
}

// Up to these many rows K and V are read in place by default.
constexpr std::int64_t max_default_stream_rows = 16;

HostConfig default_shape(const Problem& problem, const Arch& arch, Product product) {
  const std::int64_t rows = row_count(problem);
  const bool stream = rows <= max_default_stream_rows;
  HostConfig config{.width = vector_bits(arch), .product = product};
  config.micro = product == Product::tile ? tile_micro
                 : stream                 ? default_stream_micro(arch, rows)
                                          : default_micro(arch, rows);
  config.unroll = stream || product == Product::tile ? 1 : 2;
  // From here on K and V cost little beside the products, which AMX makes faster; larger tiles lose under causal masks.
  config.tile_m = default_tile_m(rows, config.micro, product == Product::tile ? 256 : 192);
  config.pack = stream ? Pack::none : Pack::task;
  config.tile_n = default_tile_n(problem, config, stream && product == Product::fma ? 32 : 128);
  // Packing once is 1 to 2 % of a prefill; it needs at least two row tiles that read what was packed.
  const double readers = static_cast<double>(ceil_div(rows, config.tile_m)) * visible_fraction(problem);
  if (!stream && whole_pays(problem, config) && readers >= 2)
    config.pack = Pack::whole;
  return config;
}

// AMX where the Arch has it; but taking f32 apart for few rows costs more than its products save.
Product default_product(const Problem& problem, const Arch& arch) {
  const std::int64_t rows = row_count(problem);
  if (!serves(Product::tile, problem, arch, vector_bits(arch)))
    return Product::fma;
  if (rows <= max_default_stream_rows)
    return rows > 4 && streams(Product::tile, problem) ? Product::tile : Product::fma;
  const auto cost = [&](Product product) { return predict(problem, arch, default_shape(problem, arch, product)).cost; };
  return cost(Product::tile) <= cost(Product::fma) ? Product::tile : Product::fma;
}

// Packing, where all tasks share it; the tasks; and where the keys are split, putting the parts together. What a launch
// choice leaves without work has a grid of 0 tasks.
std::vector<LaunchRule> launches(const Problem& problem, const HostConfig& config) {
  const bool whole = config.pack == Pack::whole;
  const std::string tiles = fmt::format("batch * heads_kv * ceil_div(len_kv, {})", config.tile_n);
  const bool streams = config.pack == Pack::none;  // one task takes all KV heads
  const std::string tasks =
      fmt::format("{} * ceil_div(len_q * group, {}) * split", streams ? "batch" : "batch * heads_kv", config.tile_m);
  const std::string rows = "min(split - 1, 1) * batch * heads_q * len_q";
  const WorkspaceSlice scratch{
      .name = "scratch",
      .bytes = fmt::format("{}{}", scratch_bytes(problem, config), streams ? " * heads_kv" : ""),
      .per_worker = true};
  const WorkspaceSlice partial{.name = "partial",
                               .bytes = fmt::format("{} * split * {}", rows, partial_row_bytes(problem, config))};
  const WorkspaceSlice packed{.name = "packed",
                              .bytes = fmt::format("{} * {}", tiles, packed_tile_bytes(problem, config))};
  std::vector<LaunchRule> rules;
  if (whole)
    rules.push_back({.entry = "attentune_pack", .grid = {tiles, "1", "1"}, .workspace = {packed}});
  rules.push_back({.entry = "attentune_forward",
                   .grid = {tasks, "1", "1"},
                   .block = {"grain", "1", "1"},
                   .workspace = {scratch, partial},
                   .depends_on_previous = whole});
  if (whole)
    rules.back().workspace.push_back(packed);
  rules.push_back({.entry = "attentune_combine",
                   .grid = {rows, "1", "1"},
                   .block = {"4", "1", "1"},
                   .workspace = {partial},
                   .depends_on_previous = true});
  return rules;
}

}  // namespace

std::optional<Refusal> ForwardHost::refusal(const Problem& problem, const Arch& arch) const {
  if (!arch.is_host()) {
    return Refusal{"arch", arch.name, "forward_host makes kernels for host CPUs", "use --device host"};
  }
  if (!has_host_template()) {
    return Refusal{"arch", arch.name, "this build has no host code generation",
                   "use a build with HOST_CODEGEN=ON or --device gpu:0"};
  }
  if (host_target(arch.machine) == nullptr) {
    return Refusal{"arch", arch.machine, "forward_host knows x86_64 and aarch64", "use one of these machines"};
  }
  if (problem.pass != Pass::forward) {
    return Refusal{"pass", "backward", "forward_host computes the forward pass", "use pass=forward"};
  }
  if (problem.layout != Layout::dense) {
    return Refusal{"layout", problem.layout == Layout::varlen ? "varlen" : "paged", "forward_host serves dense tensors",
                   "use layout=dense, one call a sequence"};
  }
  if (auto reason = dtype_refusal(problem))
    return reason;
  if (std::max(problem.head_dim_qk, problem.head_dim_v) > max_head_dim) {
    return Refusal{"head_dim", pair_text(problem.head_dim_qk, problem.head_dim_v),
                   fmt::format("forward_host serves head dims 1 to {}", max_head_dim),
                   fmt::format("use head_dim={} or less", max_head_dim)};
  }
  if (problem.group() > max_group) {
    return Refusal{"heads", pair_text(problem.heads_q, problem.heads_kv),
                   fmt::format("forward_host serves at most {} query heads a KV head", max_group),
                   "split the query heads over several calls"};
  }
  return std::nullopt;
}

ConfigSpace ForwardHost::space(const Problem& problem, const Arch& arch) const {
  ConfigSpace space = class_space(problem, arch);
  // What cannot win at these lengths. Tiny row tiles only where there are few rows.
  const std::int64_t rows = row_count(problem);
  const std::int64_t least = std::min<std::int64_t>(rows, 96) / 4;
  space.require("tile_m", "fewer rows in the problem",
                [least](const Config& config) { return config.integer("tile_m") >= least; });
  space.require("pack", fmt::format("at most {} rows", max_stream_rows), [rows](const Config& config) {
    return HostConfig::of(config).pack != Pack::none || rows <= max_stream_rows;
  });
  space.require("pack", "several row tiles, and K and V that are not too large when packed",
                [problem](const Config& config) {
                  const HostConfig shape = HostConfig::of(config);
                  return shape.pack != Pack::whole || whole_pays(problem, shape);
                });
  space.require("split", "one row tile, few tasks, many keys, grain=1, and pack=task or none",
                [problem](const Config& config) {
                  const std::int64_t split = config.integer("split");
                  const HostConfig shape = HostConfig::of(config);
                  const bool shares = shape.pack == Pack::task || shape.pack == Pack::none;
                  return split == 1 || (shares && config.integer("grain") == 1 && split_pays(problem, shape, split));
                });
  return space;
}

Config ForwardHost::default_config(const Problem& problem, const Arch& arch) const {
  const HostConfig config = default_shape(problem, arch, default_product(problem, arch));
  // Decode on many workers: parts of at least 512 visible keys until there are 32 tasks.
  const double visible = visible_fraction(problem) * static_cast<double>(problem.len_kv);
  std::int64_t split = 1;
  while (config.pack == Pack::none && problem.batch * split < 32 && visible >= 1024.0 * static_cast<double>(split) &&
         split_pays(problem, config, 2 * split))
    split *= 2;
  return Config({{"width", std::to_string(config.width), ChoiceKind::compile},
                 {"product", std::string(product_words[static_cast<std::size_t>(config.product)]), ChoiceKind::compile},
                 {"micro", to_text(config.micro), ChoiceKind::compile},
                 {"unroll", std::to_string(config.unroll), ChoiceKind::compile},
                 {"tile_m", std::to_string(config.tile_m), ChoiceKind::compile},
                 {"tile_n", std::to_string(config.tile_n), ChoiceKind::compile},
                 {"pack", std::string(pack_words[static_cast<std::size_t>(config.pack)]), ChoiceKind::compile},
                 {"grain", "1", ChoiceKind::launch},
                 {"split", std::to_string(split), ChoiceKind::launch}});
}

Resources ForwardHost::resources(const Problem& problem, const Arch& arch, const Config& config) const {
  return predict(problem, arch, HostConfig::of(config));
}

Config ForwardHost::relaunched(const Problem& problem, const Arch& /*arch*/, const Config& config) const {
  std::int64_t split = config.integer("split");
  while (!split_pays(problem, HostConfig::of(config), split))
    split /= 2;
  return config.with("split", std::to_string(split));
}

Source ForwardHost::render(const Problem& problem, const Arch& arch, const Config& config) const {
  if (const auto reason = refusal(problem, arch))
    throw RefusalError(*reason);
  if (const auto reason = class_space(problem, arch).why_not(config)) {
    throw RefusalError({"config", to_text(config), *reason, "use a point `attentune space` prints"});
  }
  const HostConfig shape = HostConfig::of(config);
  const HostSpecialization specialization{
      .constants = {{"TILE_M", shape.tile_m},
                    {"TILE_N", shape.tile_n},
                    {"MICRO_ROWS", shape.micro.rows},
                    {"MICRO_VECTORS", shape.micro.vectors},
                    {"STEPS", shape.unroll},
                    {"PACK", static_cast<int>(shape.pack)},
                    {"PRODUCT", static_cast<int>(shape.product)},
                    {"HEAD_DIM_QK", problem.head_dim_qk},
                    {"HEAD_DIM_V", problem.head_dim_v},
                    {"GROUP", problem.group()},
                    {"Q_DTYPE", dtype_constant(problem.q)},
                    {"K_DTYPE", dtype_constant(problem.k)},
                    {"V_DTYPE", dtype_constant(problem.v)},
                    {"OUT_DTYPE", dtype_constant(problem.out)},
                    {"HAS_LSE", problem.lse ? 1 : 0},
                    {"HAS_SINK_LOGIT", problem.sink_logit ? 1 : 0},
                    {"HAS_MASK", problem.mask.is_all() ? 0 : 1},
                    {"HAS_SCORE", problem.score.is_identity() ? 0 : 1},
                    {"NATIVE_F16", converts_f16(arch) ? 1 : 0},
                    {"NATIVE_BF16", multiplies_bf16_pairs(arch, shape.width) ? 1 : 0},
                    {"NATIVE_SCALE", scales_exponents(arch, shape.width) ? 1 : 0}},
      .definitions =
          mask_ir(*problem.mask.structure) + '\n' + score_ir(*problem.score.structure) + isa_ir(arch, shape.width),
      .vector_bits = shape.width};
  Source source;
  source.language = Language::llvm_ir;
  source.text =
      fmt::format(
          "; attentune forward_host\n; class:  {}\n; arch:   {}\n; config: {}\n; void "
          "attentune_forward(const AttentionArgs *args, int64_t task_begin, int64_t task_end){}\n; and, where "
          "split > 1, attentune_combine\n\n",
          class_text(problem), short_name(arch), config.compile_text(),
          shape.pack == Pack::whole ? ", after attentune_pack" : "") +
      specialize_host_template(templates::text(host_template), arch, specialization);
  source.launches = launches(problem, shape);
  return source;
}

}  // namespace attentune
