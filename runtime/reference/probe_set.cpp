#include "runtime/reference/probe_set.h"

#include <algorithm>
#include <optional>

namespace attentune {
namespace {

// Window widths and sink counts of one probe; narrow and wide are meant against tiles of 16 to 128 keys.
struct Widths {
  std::int64_t left;
  std::int64_t right;
  std::int64_t sink;
};

constexpr Widths middling{.left = 40, .right = 7, .sink = 3};
constexpr Widths narrow{.left = 5, .right = 0, .sink = 1};
constexpr Widths wide{.left = 150, .right = 33, .sink = 70};
// Keys of both halves of Values::rising, through windows and sinks alike.
constexpr Widths growing{.left = 900, .right = 33, .sink = 900};
constexpr Widths nothing{.left = 0, .right = 0, .sink = 0};
// With 128 more keys than queries, one key beside the edges of tiles of 16, 32 and 64 rows and keys: a tile that a
// kernel takes for wholly visible one key too early shows.
constexpr Widths beside_tiles{.left = 126, .right = 126, .sink = 127};

struct Sketch {
  std::string_view what;
  std::int64_t batch;
  std::int64_t heads_kv;
  std::int64_t len_q;
  std::int64_t len_kv;
  Values values = Values::normal;
  Widths widths = middling;
  BufferOptions options{};
  std::optional<double> scale{};
};

constexpr BufferOptions tight{.padded = false, .least_aligned = true, .guard_pages = true};
constexpr BufferOptions padded{.padded = true, .least_aligned = true, .guard_pages = false};

constexpr Sketch sketches[] = {
    {.what = "odd lengths", .batch = 1, .heads_kv = 2, .len_q = 131, .len_kv = 197},
    // 130 rows see nothing under a causal mask: whole row tiles of up to 128.
    {.what = "more queries than keys", .batch = 1, .heads_kv = 1, .len_q = 171, .len_kv = 41, .widths = narrow},
    // Under masks such as sink(n) the only rows without a key; more than 8, for threads of matrix kernels hold rows 8
    // apart.
    {.what = "no keys", .batch = 2, .heads_kv = 1, .len_q = 13, .len_kv = 0},
    {.what = "no queries", .batch = 1, .heads_kv = 2, .len_q = 0, .len_kv = 5},
    {.what = "one query", .batch = 2, .heads_kv = 2, .len_q = 1, .len_kv = 333, .widths = wide},
    {.what = "one query and one key", .batch = 1, .heads_kv = 1, .len_q = 1, .len_kv = 1, .options = tight},
    {.what = "large magnitudes", .batch = 1, .heads_kv = 1, .len_q = 65, .len_kv = 129, .values = Values::large},
    {.what = "scores far below zero",
     .batch = 1,
     .heads_kv = 1,
     .len_q = 33,
     .len_kv = 257,
     .values = Values::negative,
     .widths = wide},
    // More keys than a step of any kernel takes: the first step's code is not that of the others.
    {.what = "a negative scale", .batch = 1, .heads_kv = 1, .len_q = 35, .len_kv = 277, .scale = -0.25},
    // Lazy rescaling waits for maxima that grow by much. At least one key tile of any kernel comes before they do.
    {.what = "scores that rise late",
     .batch = 1,
     .heads_kv = 1,
     .len_q = 35,
     .len_kv = 1100,
     .values = Values::rising,
     .widths = growing},
    {.what = "padded batch of two", .batch = 2, .heads_kv = 2, .len_q = 63, .len_kv = 127, .options = padded},
    {.what = "keys counted by the output",
     .batch = 1,
     .heads_kv = 1,
     .len_q = 129,
     .len_kv = 255,
     .values = Values::counting,
     .widths = narrow},
    {.what = "whole tiles before a guard page",
     .batch = 1,
     .heads_kv = 1,
     .len_q = 128,
     .len_kv = 256,
     .widths = beside_tiles,
     .options = tight},
    {.what = "a long row", .batch = 1, .heads_kv = 1, .len_q = 3, .len_kv = 2049, .widths = wide},
    {.what = "many more keys than queries", .batch = 1, .heads_kv = 2, .len_q = 17, .len_kv = 300, .widths = nothing},
};

Mask with_widths(const Mask& mask, const Widths& widths) {
  Mask result = mask;
  bool left = true;  // window slots come in pairs
  for (std::size_t slot = 0; slot < result.arguments.size(); ++slot) {
    if (mask.structure->slots[slot] == SlotKind::sink_count) {
      result.arguments[slot] = widths.sink;
    } else {
      result.arguments[slot] = left ? widths.left : widths.right;
      left = !left;
    }
  }
  return result;
}

// As if nothing were masked: what a kernel may compute.
double most_flop(const Problem& problem) {
  return 2.0 * static_cast<double>(problem.head_dim_qk + problem.head_dim_v) *
         static_cast<double>(problem.batch * problem.heads_q) * static_cast<double>(problem.len_q) *
         static_cast<double>(problem.len_kv);
}

// Odd again, unless it was hardly more than nothing.
std::int64_t shortened(std::int64_t length) {
  if (length <= 3)
    return length;
  return std::min((length * 4 / 5) | 1, length - 1);
}

}  // namespace

std::vector<Probe> probe_set(const Problem& problem) {
  std::vector<Probe> probes;
  double total = 0;
  for (const Sketch& sketch : sketches) {
    Probe probe{.what = sketch.what,
                .problem = problem,
                .seed = probes.size() + 1,
                .values = sketch.values,
                .options = sketch.options};
    Problem& p = probe.problem;
    p.batch = sketch.batch;
    p.heads_kv = sketch.heads_kv;
    p.heads_q = sketch.heads_kv * problem.group();
    p.len_q = sketch.len_q;
    p.len_kv = sketch.len_kv;
    p.mask = with_widths(problem.mask, sketch.widths);
    p.scale = sketch.scale;
    total += most_flop(p);
    probes.push_back(std::move(probe));
  }
  // Classes with many heads a KV head or wide heads: the costliest probes get shorter, in proportion.
  while (total > probe_budget_flop) {
    Probe& costliest = *std::max_element(probes.begin(), probes.end(), [](const Probe& x, const Probe& y) {
      return most_flop(x.problem) < most_flop(y.problem);
    });
    Problem& p = costliest.problem;
    if (std::max(p.len_q, p.len_kv) <= 3)
      break;
    total -= most_flop(p);
    p.len_q = shortened(p.len_q);
    p.len_kv = shortened(p.len_kv);
    total += most_flop(p);
  }
  return probes;
}

}  // namespace attentune
