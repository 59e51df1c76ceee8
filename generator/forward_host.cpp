#include "generator/forward_host.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <set>

#include <fmt/format.h>

#include "generator/host_target.h"
#include "generator/host_template.h"
#include "generator/key.h"
#include "generator/text.h"
#include "generator/visible_keys.h"
#include "templates/templates.h"

namespace attentune {
namespace {

constexpr std::int64_t lanes = 16;  // of the template's one vector type
constexpr std::int64_t max_head_dim = 576;
constexpr std::int64_t max_group = 1 << 16;
constexpr std::int64_t max_scratch_bytes = std::int64_t{4} << 20;

constexpr std::int64_t max_packed_bytes = std::int64_t{1} << 30;
constexpr std::string_view host_template = "host/forward.ll";

// Rows and vectors of the micro-kernels that keep the FMA units of some host busy.
struct Micro {
  std::int64_t rows = 1, vectors = 1;
};
constexpr std::array<Micro, 26> micros{{{1, 2}, {1, 3}, {1, 4}, {1, 6}, {1, 8}, {2, 1}, {2, 2},  {2, 4}, {2, 8},
                                        {3, 3}, {3, 6}, {4, 1}, {4, 2}, {4, 4}, {4, 6}, {5, 1},  {5, 4}, {6, 1},
                                        {6, 2}, {6, 3}, {6, 4}, {8, 2}, {8, 3}, {9, 3}, {12, 2}, {14, 2}}};
// Micro-kernels a row tile is high.
constexpr std::array<int, 12> heights{1, 2, 3, 4, 6, 8, 12, 16, 24, 32, 48, 64};
constexpr std::int64_t max_tile_m = 384;
constexpr std::array<int, 9> tiles_n{32, 48, 64, 96, 128, 192, 256, 384, 512};

constexpr std::int64_t ceil_div(std::int64_t a, std::int64_t b) { return (a + b - 1) / b; }
constexpr std::int64_t padded(std::int64_t width) { return ceil_div(width, lanes) * lanes; }

// Who packs key tiles, as in templates/host/constants.h.
enum class Pack : std::uint8_t { task, k, whole };

constexpr std::string_view word_of(Pack pack) { return pack == Pack::task ? "task" : pack == Pack::k ? "k" : "whole"; }

// A Config as numbers.
struct Shape {
  int width = 0;  // bits of the vectors LLVM may use
  std::int64_t rows = 0, vectors = 0;
  std::int64_t tile_m = 0, tile_n = 0;
  Pack pack = Pack::task;
};

Pack pack_of(const Config& config) {
  const std::string& word = config.word("pack");
  for (const Pack pack : {Pack::task, Pack::k, Pack::whole}) {
    if (word == word_of(pack))
      return pack;
  }
  throw Error(Status::internal, fmt::format("pack={} is no way to pack", word));
}

Micro micro_of(const Config& config) {
  const std::string_view text = config.word("micro");
  const std::size_t x = std::min(text.find('x'), text.size() - 1);
  const auto rows = parse_number<std::int64_t>(text.substr(0, x));
  const auto vectors = parse_number<std::int64_t>(text.substr(x + 1));
  if (!rows || !vectors)
    throw Error(Status::internal, fmt::format("micro={} is not ROWSxVECTORS", text));
  return {.rows = *rows, .vectors = *vectors};
}

Shape shape_of(const Config& config) {
  const Micro micro = micro_of(config);
  return {.width = static_cast<int>(config.integer("width")),
          .rows = micro.rows,
          .vectors = micro.vectors,
          .tile_m = config.integer("tile_m"),
          .tile_n = config.integer("tile_n"),
          .pack = pack_of(config)};
}

// Registers of the inner loop: every sum, one row of B (one sum row can take B from memory), one broadcast of A.
std::int64_t live_registers(std::int64_t rows, std::int64_t vectors, int width) {
  const std::int64_t registers_a_vector = 512 / width;
  return (rows * vectors + (rows > 1 ? vectors : 0)) * registers_a_vector + 1;
}

// Fits the registers and can win: 8 sums hide the FMA latency (4 cycles, two instructions a cycle), and several rows
// use at least half the registers, because fewer sums only mean more loads a product.
bool is_worthwhile(Micro micro, const Arch& arch, int width) {
  const std::int64_t live = live_registers(micro.rows, micro.vectors, width);
  const std::int64_t registers = vector_registers(arch, width);
  return live <= registers && micro.rows * micro.vectors * (512 / width) >= 8 &&
         (micro.rows == 1 || 2 * live > registers);
}

// f32 bytes of one packed key tile.
std::int64_t packed_tile_bytes(const Problem& p, std::int64_t tile_n) {
  return 4 * tile_n * (padded(p.head_dim_qk) + padded(p.head_dim_v));
}

// The layout of templates/host/scratch.h: Q, S and O with rows one vector longer, l (16 partial sums a row), m, alpha,
// and what a task packs of one key tile.
std::int64_t scratch_bytes(const Problem& p, std::int64_t tile_m, std::int64_t tile_n, Pack pack) {
  const std::int64_t rows = tile_m * (padded(p.head_dim_qk) + tile_n + padded(p.head_dim_v) + 4 * lanes);
  const std::int64_t keys = pack == Pack::whole ? 0
                            : pack == Pack::k   ? 4 * tile_n * padded(p.head_dim_qk)
                                                : packed_tile_bytes(p, tile_n);
  return 4 * (rows + 2 * padded(tile_m)) + keys;
}

std::int64_t row_count(const Problem& p) { return std::max<std::int64_t>(1, p.len_q * p.group()); }

// What pack=whole needs of the workspace; a double, as lengths have no bound here.
double packed_bytes(const Problem& p, std::int64_t tile_n) {
  return static_cast<double>(p.batch * p.heads_kv) * static_cast<double>(ceil_div(p.len_kv, tile_n)) *
         static_cast<double>(packed_tile_bytes(p, tile_n));
}

// Packing is shared by the row tiles of a KV head: with one of them there is nobody to share with.
bool whole_pays(const Problem& p, std::int64_t tile_m, std::int64_t tile_n) {
  return row_count(p) > tile_m && packed_bytes(p, tile_n) <= static_cast<double>(max_packed_bytes);
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

template <typename Values>
std::vector<std::string> words(const Values& values) {
  std::vector<std::string> result;
  result.reserve(std::size(values));
  for (const auto value : values)
    result.push_back(std::to_string(value));
  return result;
}

// The micro-kernel for many rows: as square as the registers allow, because a step loads rows + vectors operands for
// rows * vectors products; 6x4 of zmm, 6x1 of two ymm or four NEON registers, 2x1 of four xmm. Few rows (decode): the
// one of just as many that has the most sums, so that none is padding. Six vectors divide few head dims (4x6: 66 %).
Micro default_micro(const Arch& arch, std::int64_t rows) {
  const int width = vector_bits(arch);
  // Loads of a product instruction.
  const auto loads = [width](Micro m) {
    const std::int64_t registers_a_vector = 512 / width;
    return 1.0 / static_cast<double>(m.rows) + 1.0 / static_cast<double>(m.vectors * registers_a_vector);
  };
  Micro best;
  for (const Micro micro : micros) {
    if (!is_worthwhile(micro, arch, width) || micro.rows > 6 || micro.vectors == 6)
      continue;
    const std::int64_t padding = ceil_div(rows, micro.rows) * micro.rows - rows;
    const std::int64_t best_padding = best.rows == 0 ? 0 : ceil_div(rows, best.rows) * best.rows - rows;
    const bool fewer = rows < 6 && padding != best_padding;
    if (best.rows == 0 || (fewer ? padding < best_padding : loads(micro) < loads(best)))
      best = micro;
  }
  return best;
}

// Rules every point that renders keeps: they read nothing of the problem but its class, so that a Config found for one
// bucket renders for any other.
ConfigSpace class_space(const Problem& problem, const Arch& arch) {
  const int widest = vector_bits(arch);
  std::vector<std::string> widths{std::to_string(widest)};
  if (widest == 512)
    widths.emplace_back("256");
  std::vector<std::string> micro_words;
  std::set<std::int64_t> tiles_m;
  for (const Micro micro : micros) {
    micro_words.push_back(fmt::format("{}x{}", micro.rows, micro.vectors));
    for (const int height : heights) {
      if (micro.rows * height <= max_tile_m)
        tiles_m.insert(micro.rows * height);
    }
  }
  ConfigSpace space;
  space.add({"width", ChoiceKind::compile, std::move(widths), "bits of the vector registers used"});
  space.add({"micro", ChoiceKind::compile, std::move(micro_words),
             "rows x vectors of 16 the micro-kernel keeps in registers"});
  space.add({"tile_m", ChoiceKind::compile, words(tiles_m), "rows (queries x heads of a group) of a task"});
  space.add({"tile_n", ChoiceKind::compile, words(tiles_n), "keys a step of the online softmax takes"});
  space.add({"pack",
             ChoiceKind::compile,
             {"task", "k", "whole"},
             "who packs K and V: each task; each task K alone; one launch before, for all tasks"});
  space.add({"grain", ChoiceKind::launch, {"1", "4"}, "tasks a worker claims at once"});

  space.require("micro", [arch](const Config& config) {
    return is_worthwhile(micro_of(config), arch, static_cast<int>(config.integer("width")));
  });
  space.require("tile_m", [](const Config& config) {
    const std::int64_t rows = micro_of(config).rows;
    const std::int64_t tile_m = config.integer("tile_m");
    return tile_m % rows == 0 && std::find(heights.begin(), heights.end(), tile_m / rows) != heights.end();
  });
  space.require("tile_n", [](const Config& config) {
    return config.integer("tile_n") % (micro_of(config).vectors * lanes) == 0;
  });
  space.require("pack", [problem](const Config& config) {
    const Shape shape = shape_of(config);
    return (shape.pack != Pack::k || reads_v_in_place(problem)) &&
           scratch_bytes(problem, shape.tile_m, shape.tile_n, shape.pack) <= max_scratch_bytes;
  });
  return space;
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
  const std::int64_t least = std::min<std::int64_t>(row_count(problem), 96) / 4;
  space.require("tile_m", [least](const Config& config) { return config.integer("tile_m") >= least; });
  space.require("pack", [problem](const Config& config) {
    return pack_of(config) != Pack::whole || whole_pays(problem, config.integer("tile_m"), config.integer("tile_n"));
  });
  return space;
}

Config ForwardHost::default_config(const Problem& problem, const Arch& arch) const {
  const std::int64_t rows = row_count(problem);
  const Micro micro = default_micro(arch, rows);
  // Row tiles of equal size, at most 192 rows: from there on K and V cost little beside the products, while
  // larger tiles lose under causal masks (bf16 GQA: 68.5 % of the FMA ceiling at 384 rows, 71 % at 192).
  const std::int64_t wanted = ceil_div(rows, ceil_div(rows, 192));
  std::int64_t tile_m = micro.rows;
  for (const int height : heights) {
    if (micro.rows * height > max_tile_m)
      break;
    tile_m = micro.rows * height;
    if (tile_m >= wanted)
      break;
  }
  const std::int64_t panel = micro.vectors * lanes;
  std::int64_t tile_n = 0;
  for (const int candidate : tiles_n) {
    if (candidate % panel != 0)
      continue;
    if (tile_n != 0 && (candidate > 128 || tile_n >= problem.len_kv ||
                        scratch_bytes(problem, tile_m, candidate, Pack::task) > max_scratch_bytes))
      break;
    tile_n = candidate;
  }
  // Packing once is 1 to 2 % of a prefill; it needs at least two row tiles that read what was packed.
  const double readers = static_cast<double>(ceil_div(rows, tile_m)) * visible_fraction(problem);
  const Pack pack = whole_pays(problem, tile_m, tile_n) && readers >= 2 ? Pack::whole : Pack::task;
  Config config;
  config.add("width", std::to_string(vector_bits(arch)), ChoiceKind::compile);
  config.add("micro", fmt::format("{}x{}", micro.rows, micro.vectors), ChoiceKind::compile);
  config.add("tile_m", std::to_string(tile_m), ChoiceKind::compile);
  config.add("tile_n", std::to_string(tile_n), ChoiceKind::compile);
  config.add("pack", std::string(word_of(pack)), ChoiceKind::compile);
  config.add("grain", "1", ChoiceKind::launch);
  return config;
}

// Cycles of one core, from instruction counts alone (two vector instructions and two loads a cycle):
//   products  a micro-kernel step is rows * vectors FMAs and rows + vectors loads, each of 16 lanes = 512 / width
//             instructions; with fewer than 8 sums in flight the latency of 4 cycles shows (2 a cycle * 4); a fifth of
//             the loads' time is seen even where products hide it (6x4 of zmm: 13 cycles predicted, 13.5 measured).
//   softmax   22 instructions on 16 scores (max, exp2, sum, load, store) and some 40 a row and key tile.
//   packing   a transposition of K is 4 shuffles and 2 moves a vector, of V 2 moves; conversion adds 3. Once a row
//   tile,
//             or once for all of them (every key tile then, seen or not), who read it from a farther cache.
Resources ForwardHost::resources(const Problem& problem, const Arch& arch, const Config& config) const {
  const Shape shape = shape_of(config);
  const double split = 512.0 / shape.width;
  const auto rows = static_cast<double>(shape.rows);
  const auto vectors = static_cast<double>(shape.vectors);
  const std::int64_t all_rows = row_count(problem);
  const std::int64_t row_tiles = ceil_div(all_rows, shape.tile_m);
  const std::int64_t last_rows = all_rows - (row_tiles - 1) * shape.tile_m;
  const double computed_rows =
      static_cast<double>((row_tiles - 1) * shape.tile_m + ceil_div(last_rows, shape.rows) * shape.rows);
  const double keys = static_cast<double>(ceil_div(problem.len_kv, shape.vectors * lanes) * shape.vectors * lanes);
  const double key_tiles = std::ceil(static_cast<double>(problem.len_kv) / static_cast<double>(shape.tile_n));
  const double visible = visible_fraction(problem);
  const double visited = std::min(1.0, visible + 0.5 * static_cast<double>(shape.tile_m + shape.tile_n) /
                                                     static_cast<double>(std::max<std::int64_t>(1, problem.len_kv)));

  const double loads = (rows + vectors * split) / 2;
  const double step = std::max({rows * vectors * split / 2, loads, 4.0}) + 0.2 * loads;
  const double cycles_a_product = step / (rows * vectors * lanes);
  // V read in place is strided: its rows fall into fewer sets of the first-level cache (measured: 1.3).
  const double in_place = shape.pack == Pack::k ? 1.3 : 1.0;
  const double depth =
      static_cast<double>(problem.head_dim_qk) + in_place * static_cast<double>(padded(problem.head_dim_v));
  const double products = computed_rows * keys * depth * cycles_a_product;
  const double softmax = computed_rows * (keys / lanes * 22 * split / 2 + key_tiles * 40);
  const auto convert = [](Dtype dtype) { return dtype == Dtype::f32 ? 0 : 3; };
  const double depth_qk = static_cast<double>(padded(problem.head_dim_qk));
  const double depth_v = static_cast<double>(padded(problem.head_dim_v));
  const double vectors_of_keys = keys / lanes * split / 2;
  const double packing_k = vectors_of_keys * depth_qk * (6 + convert(problem.k));
  const double packing_v = vectors_of_keys * depth_v * (2 + convert(problem.v));
  const auto tiles = static_cast<double>(row_tiles);
  const double packing = shape.pack == Pack::whole
                             ? packing_k + packing_v + tiles * visited * keys * (depth_qk + depth_v) * 4 / 32
                             : tiles * visited * (packing_k + (shape.pack == Pack::k ? 0 : packing_v));
  // What does not fit the second-level cache (1 MiB is common) waits for the next one.
  const auto bytes = static_cast<double>(scratch_bytes(problem, shape.tile_m, shape.tile_n, shape.pack));
  const double spill = bytes > 1048576.0 ? 1.15 : 1.0;
  const double registers = static_cast<double>(live_registers(shape.rows, shape.vectors, shape.width));
  const double pressure = registers > vector_registers(arch, shape.width) ? 1.5 : 1.0;
  const double shared = shape.pack == Pack::whole ? packed_bytes(problem, shape.tile_n) : 0;
  return {.workspace_bytes = bytes + shared,
          .shared_bytes = bytes,
          .registers = registers,
          .cost = static_cast<double>(problem.batch * problem.heads_kv) *
                  (visited * spill * pressure * (products + softmax) + packing)};
}

Source ForwardHost::render(const Problem& problem, const Arch& arch, const Config& config) const {
  if (const auto reason = refusal(problem, arch))
    throw RefusalError(*reason);
  if (const auto reason = class_space(problem, arch).why_not(config)) {
    throw RefusalError({"config", to_text(config), *reason, "use a point `attentune space` prints"});
  }
  const Shape shape = shape_of(config);
  const HostSpecialization specialization{
      .constants = {{"TILE_M", shape.tile_m},
                    {"TILE_N", shape.tile_n},
                    {"MICRO_ROWS", shape.rows},
                    {"MICRO_VECTORS", shape.vectors},
                    {"PACK", static_cast<int>(shape.pack)},
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
                    "attentune_forward(const AttentionArgs *args, int64_t task_begin, int64_t task_end){}\n\n",
                    class_text(problem), short_name(arch), config.compile_text(),
                    shape.pack == Pack::whole ? ", after attentune_pack" : "") +
                specialize_host_template(templates::text(host_template), arch, specialization);
  std::vector<WorkspaceSlice> workspace{
      {.name = "scratch",
       .bytes = std::to_string(scratch_bytes(problem, shape.tile_m, shape.tile_n, shape.pack)),
       .per_worker = true}};
  if (shape.pack == Pack::whole) {
    const std::string tiles = fmt::format("batch * heads_kv * ceil_div(len_kv, {})", shape.tile_n);
    workspace.push_back(
        {.name = "packed", .bytes = fmt::format("{} * {}", tiles, packed_tile_bytes(problem, shape.tile_n))});
    source.launches.push_back({.entry = "attentune_pack", .grid = {tiles, "1", "1"}, .workspace = {workspace.back()}});
  }
  source.launches.push_back(
      {.entry = "attentune_forward",
       .grid = {fmt::format("batch * heads_kv * ceil_div(len_q * group, {})", shape.tile_m), "1", "1"},
       .block = {"grain", "1", "1"},
       .workspace = std::move(workspace),
       .depends_on_previous = shape.pack == Pack::whole});
  return source;
}

}  // namespace attentune
