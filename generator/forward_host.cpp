#include "generator/forward_host.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>

#include <fmt/format.h>

#include "generator/host_target.h"
#include "generator/host_template.h"
#include "generator/key.h"
#include "generator/text.h"
#include "templates/templates.h"

namespace attentune {
namespace {

constexpr std::int64_t lanes = 16;  // of the template's one vector type
constexpr std::int64_t max_head_dim = 576;
constexpr std::int64_t max_group = 1 << 16;
constexpr std::int64_t max_scratch_bytes = std::int64_t{4} << 20;

constexpr std::array<int, 13> micro_rows{1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 12, 14, 16};
constexpr std::array<int, 6> micro_vectors{1, 2, 3, 4, 6, 8};
constexpr std::array<int, 44> tiles_m{1,  2,  3,   4,   5,   6,   7,   8,   9,   10,  12,  14,  16,  18, 20,
                                      24, 27, 28,  32,  36,  40,  42,  48,  54,  56,  60,  64,  72,  80, 84,
                                      90, 96, 108, 112, 120, 128, 144, 160, 168, 192, 224, 256, 288, 384};
constexpr std::array<int, 11> tiles_n{16, 32, 48, 64, 96, 128, 144, 192, 256, 384, 512};

constexpr std::int64_t ceil_div(std::int64_t a, std::int64_t b) { return (a + b - 1) / b; }
constexpr std::int64_t padded(std::int64_t width) { return ceil_div(width, lanes) * lanes; }

// A Config as numbers.
struct Shape {
  int width = 0;  // bits of the vectors LLVM may use
  std::int64_t rows = 0, vectors = 0;
  std::int64_t tile_m = 0, tile_n = 0;
};

Shape shape_of(const Config& config) {
  const std::string& micro = config.word("micro");
  const std::size_t x = std::min(micro.find('x'), micro.size() - 1);
  const auto rows = parse_number<std::int64_t>(std::string_view(micro).substr(0, x));
  const auto vectors = parse_number<std::int64_t>(std::string_view(micro).substr(x + 1));
  if (!rows || !vectors)
    throw Error(Status::internal, fmt::format("micro={} is not ROWSxVECTORS", micro));
  return {.width = static_cast<int>(config.integer("width")),
          .rows = *rows,
          .vectors = *vectors,
          .tile_m = config.integer("tile_m"),
          .tile_n = config.integer("tile_n")};
}

// Registers of the inner loop: every sum, one row of B (one sum row can take B from memory), one broadcast of A.
std::int64_t live_registers(std::int64_t rows, std::int64_t vectors, int width) {
  const std::int64_t registers_a_vector = 512 / width;
  return (rows * vectors + (rows > 1 ? vectors : 0)) * registers_a_vector + 1;
}

// The layout of templates/host/scratch.h: Q, S and O with rows one vector longer, l (16 partial sums a row), m, alpha,
// and one K and V tile.
std::int64_t scratch_bytes(const Problem& p, std::int64_t tile_m, std::int64_t tile_n) {
  const std::int64_t rows = tile_m * (padded(p.head_dim_qk) + tile_n + padded(p.head_dim_v) + 4 * lanes);
  const std::int64_t keys = tile_n * (padded(p.head_dim_qk) + padded(p.head_dim_v));
  return 4 * (rows + 2 * padded(tile_m) + keys);
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

template <std::size_t Count>
std::vector<std::string> words(const std::array<int, Count>& values) {
  std::vector<std::string> result;
  for (const int value : values)
    result.push_back(std::to_string(value));
  return result;
}

// The micro-kernel for many rows: as square as the registers allow, because a step loads rows + vectors operands for
// rows * vectors products; 6x4 of zmm, 6x1 of two ymm or four NEON registers, 2x1 of four xmm.
Shape default_micro(const Arch& arch, std::int64_t rows) {
  const int width = vector_bits(arch);
  const int registers = vector_registers(arch, width);
  const std::int64_t vectors = width == 512 ? 4 : 1;
  std::int64_t best = 1;
  for (const int candidate : micro_rows) {
    if (live_registers(candidate, vectors, width) <= registers && (candidate <= 6))
      best = candidate;
  }
  // Few rows (decode): a micro-kernel of just as many, so that none is padding.
  const auto fit = std::find_if(micro_rows.begin(), micro_rows.end(), [&](int r) { return r >= rows; });
  if (fit != micro_rows.end() && *fit < best)
    best = *fit;
  return {.width = width, .rows = best, .vectors = vectors};
}

}  // namespace

std::optional<Refusal> ForwardHost::refusal(const Problem& problem, const Arch& arch) const {
  if (!arch.is_host()) {
    return Refusal{"arch", arch.name, "forward_host makes kernels for host CPUs", "use --device host"};
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
  const int widest = vector_bits(arch);
  std::vector<std::string> widths{std::to_string(widest)};
  if (widest == 512)
    widths.emplace_back("256");
  std::vector<std::string> micros;
  for (const int rows : micro_rows) {
    for (const int vectors : micro_vectors)
      micros.push_back(fmt::format("{}x{}", rows, vectors));
  }
  ConfigSpace space;
  space.add({"width", ChoiceKind::compile, std::move(widths), "bits of the vector registers used"});
  space.add(
      {"micro", ChoiceKind::compile, std::move(micros), "rows x vectors of 16 the micro-kernel keeps in registers"});
  space.add({"tile_m", ChoiceKind::compile, words(tiles_m), "rows (queries x heads of a group) of a task"});
  space.add({"tile_n", ChoiceKind::compile, words(tiles_n), "keys a step of the online softmax takes"});
  space.add({"grain", ChoiceKind::launch, {"1", "2", "4"}, "tasks a worker claims at once"});

  space.require("micro", [arch](const Config& config) {
    const std::string& micro = config.word("micro");
    const int width = static_cast<int>(config.integer("width"));
    const std::size_t x = micro.find('x');
    const auto rows = parse_number<std::int64_t>(std::string_view(micro).substr(0, x)).value_or(0);
    const auto vectors = parse_number<std::int64_t>(std::string_view(micro).substr(x + 1)).value_or(0);
    return live_registers(rows, vectors, width) <= vector_registers(arch, width);
  });
  space.require("tile_m", [](const Config& config) {
    const std::int64_t rows = std::atoll(config.word("micro").c_str());
    const std::int64_t tile_m = config.integer("tile_m");
    return tile_m % rows == 0 && tile_m <= 64 * rows;
  });
  space.require("tile_n", [problem](const Config& config) {
    const Shape shape = shape_of(config);
    return shape.tile_n % (shape.vectors * lanes) == 0 &&
           scratch_bytes(problem, shape.tile_m, shape.tile_n) <= max_scratch_bytes;
  });
  return space;
}

Config ForwardHost::default_config(const Problem& problem, const Arch& arch) const {
  const std::int64_t rows = std::max<std::int64_t>(1, problem.len_q * problem.group());
  const Shape micro = default_micro(arch, rows);
  // Row tiles of equal size, at most 192 rows: from there on packing K and V costs little beside the products.
  const std::int64_t wanted = ceil_div(rows, ceil_div(rows, 192));
  std::int64_t tile_m = micro.rows;
  for (const int candidate : tiles_m) {
    if (candidate % micro.rows != 0 || candidate > 64 * micro.rows)
      continue;
    tile_m = candidate;
    if (candidate >= wanted)
      break;
  }
  const std::int64_t panel = micro.vectors * lanes;
  std::int64_t tile_n = panel;
  for (const int candidate : tiles_n) {
    if (candidate % panel != 0 || candidate > 128)
      continue;
    if (scratch_bytes(problem, tile_m, candidate) > max_scratch_bytes)
      break;
    tile_n = candidate;
    if (candidate >= problem.len_kv)
      break;
  }
  Config config;
  config.add("width", std::to_string(micro.width), ChoiceKind::compile);
  config.add("micro", fmt::format("{}x{}", micro.rows, micro.vectors), ChoiceKind::compile);
  config.add("tile_m", std::to_string(tile_m), ChoiceKind::compile);
  config.add("tile_n", std::to_string(tile_n), ChoiceKind::compile);
  config.add("grain", "1", ChoiceKind::launch);
  return config;
}

// Cycles of one core, from instruction counts alone (two vector instructions and two loads a cycle):
//   products  a micro-kernel step is rows * vectors FMAs and rows + vectors loads, each of 16 lanes = 512 / width
//             instructions; with fewer than 8 sums in flight the latency of 4 cycles shows (2 a cycle * 4); a fifth of
//             the loads' time is seen even where products hide it (6x4 of zmm: 13 cycles predicted, 13.5 measured).
//   softmax   22 instructions on 16 scores (max, exp2, sum, load, store) and some 40 a row and key tile.
//   packing   a transposition of K is 4 shuffles and 2 moves a vector, of V 2 moves; conversion adds 3.
Resources ForwardHost::resources(const Problem& problem, const Arch& arch, const Config& config) const {
  const Shape shape = shape_of(config);
  const double split = 512.0 / shape.width;
  const auto rows = static_cast<double>(shape.rows);
  const auto vectors = static_cast<double>(shape.vectors);
  const std::int64_t all_rows = std::max<std::int64_t>(1, problem.len_q * problem.group());
  const std::int64_t row_tiles = ceil_div(all_rows, shape.tile_m);
  const std::int64_t last_rows = all_rows - (row_tiles - 1) * shape.tile_m;
  const double computed_rows =
      static_cast<double>((row_tiles - 1) * shape.tile_m + ceil_div(last_rows, shape.rows) * shape.rows);
  const double keys = static_cast<double>(ceil_div(problem.len_kv, shape.vectors * lanes) * shape.vectors * lanes);
  const double key_tiles = std::ceil(static_cast<double>(problem.len_kv) / static_cast<double>(shape.tile_n));
  const double visible =
      std::clamp(flops(problem) / (2.0 * static_cast<double>(problem.head_dim_qk + problem.head_dim_v) *
                                   static_cast<double>(problem.batch * problem.heads_q) *
                                   static_cast<double>(std::max<std::int64_t>(1, problem.len_q)) *
                                   static_cast<double>(std::max<std::int64_t>(1, problem.len_kv))),
                 0.0, 1.0);
  const double visited = std::min(1.0, visible + 0.5 * static_cast<double>(shape.tile_m + shape.tile_n) /
                                                     static_cast<double>(std::max<std::int64_t>(1, problem.len_kv)));

  const double loads = (rows + vectors * split) / 2;
  const double step = std::max({rows * vectors * split / 2, loads, 4.0}) + 0.2 * loads;
  const double cycles_a_product = step / (rows * vectors * lanes);
  const double depth = static_cast<double>(problem.head_dim_qk + padded(problem.head_dim_v));
  const double products = computed_rows * keys * depth * cycles_a_product;
  const double softmax = computed_rows * (keys / lanes * 22 * split / 2 + key_tiles * 40);
  const double convert = problem.k == Dtype::f32 ? 0 : 3;
  const double packing = static_cast<double>(row_tiles) * keys / lanes *
                         (static_cast<double>(padded(problem.head_dim_qk)) * (6 + convert) +
                          static_cast<double>(padded(problem.head_dim_v)) * (2 + convert)) *
                         split / 2;
  // What does not fit the second-level cache (1 MiB is common) waits for the next one.
  const auto bytes = static_cast<double>(scratch_bytes(problem, shape.tile_m, shape.tile_n));
  const double spill = bytes > 1048576.0 ? 1.15 : 1.0;
  const double registers = static_cast<double>(live_registers(shape.rows, shape.vectors, shape.width));
  const double pressure = registers > vector_registers(arch, shape.width) ? 1.5 : 1.0;
  return {.workspace_bytes = bytes,
          .shared_bytes = bytes,
          .registers = registers,
          .cost = static_cast<double>(problem.batch * problem.heads_kv) * visited * spill * pressure *
                  (products + softmax + packing)};
}

Source ForwardHost::render(const Problem& problem, const Arch& arch, const Config& config) const {
  if (const auto reason = refusal(problem, arch))
    throw RefusalError(*reason);
  if (const auto reason = space(problem, arch).why_not(config)) {
    throw RefusalError({"config", to_text(config), *reason, "use a point `attentune space` prints"});
  }
  const Shape shape = shape_of(config);
  const HostSpecialization specialization{
      .constants = {{"TILE_M", shape.tile_m},
                    {"TILE_N", shape.tile_n},
                    {"MICRO_ROWS", shape.rows},
                    {"MICRO_VECTORS", shape.vectors},
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
                    {"NATIVE_F16", converts_f16(arch) ? 1 : 0}},
      .definitions = mask_ir(*problem.mask.structure) + '\n' + score_ir(*problem.score.structure),
      .vector_bits = shape.width};
  Source source;
  source.language = Language::llvm_ir;
  source.text = fmt::format(
                    "; attentune forward_host\n; class:  {}\n; arch:   {}\n; config: {}\n; void "
                    "attentune_forward(const AttentionArgs *args, int64_t task_begin, int64_t task_end)\n\n",
                    class_text(problem), short_name(arch), config.compile_text()) +
                specialize_host_template(templates::text("host/forward.ll"), arch, specialization);
  source.launches.push_back(
      {.entry = "attentune_forward",
       .grid = {fmt::format("batch * heads_kv * ceil_div(len_q * group, {})", shape.tile_m), "1", "1"},
       .block = {"grain", "1", "1"},
       .workspace = {{.name = "scratch",
                      .bytes = std::to_string(scratch_bytes(problem, shape.tile_m, shape.tile_n)),
                      .per_worker = true}}});
  return source;
}

}  // namespace attentune
