// LaunchRule: how one entry of a Binary is launched, as a value. One attention call is an ordered list of them.
//
// Every number is an integer expression over launch scalars, kept as text and evaluated by templates/launch.c (so
// exported kernels evaluate the same text with the same code): + - * / (floor) parentheses, ceil_div(a,b), min(a,b),
// max(a,b), align_up(a,b). Scalars: batch heads_q heads_kv group len_q len_kv head_dim_qk head_dim_v workers, and every
// integer launch choice of the Config by its name.
#pragma once

#include <array>
#include <string>
#include <string_view>
#include <vector>

namespace attentune {

// A piece of the caller's workspace. AttentionArgs::workspace[n] points at slice n; with per_worker each worker of the
// Executor sees its own copy. Starts are 64-byte aligned on hosts, 256-byte aligned on GPUs. Slices of the same name in
// different launches of a call are the same memory and must state the same bytes text and per_worker.
struct WorkspaceSlice {
  std::string name;
  std::string bytes;  // expression; for per_worker slices the bytes of one worker
  bool per_worker = false;

  bool operator==(const WorkspaceSlice&) const = default;
};

// A TMA descriptor to encode at bind (GPU families; none on hosts). Its four dimensions are, innermost first, the
// tensor's d, head, row and batch: so the heads of a GQA group, side by side, fit in one box.
struct TensorMapSpec {
  std::string tensor;            // "q", "k", "v", "out"
  std::vector<std::string> box;  // elements, innermost first: four expressions
  std::string swizzle;           // "none", "32", "64", "128"

  bool operator==(const TensorMapSpec&) const = default;
};

struct LaunchRule {
  std::string entry;                                // symbol in the Binary
  std::array<std::string, 3> grid{"1", "1", "1"};   // host: grid[0] = number of tasks
  std::array<std::string, 3> block{"1", "1", "1"};  // host: block[0] = grain, tasks a worker claims at once
  std::array<std::string, 3> cluster{"1", "1", "1"};
  std::string shared_bytes = "0";
  std::vector<std::string> parameters{"args"};  // in order: "args", "tensor_map:<n>"
  std::vector<TensorMapSpec> tensor_maps;
  std::vector<WorkspaceSlice> workspace;
  bool depends_on_previous = false;  // may not start before the launch before it ended

  bool operator==(const LaunchRule&) const = default;
};

// JSON text, both ways; parse throws RefusalError.
[[nodiscard]] std::string to_text(const std::vector<LaunchRule>& rules);
[[nodiscard]] std::vector<LaunchRule> parse_launch_rules(std::string_view text);

}  // namespace attentune
