// Workloads: the attention of well-known models as Problems, so that nobody has to copy numbers out of a config file.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "generator/problem.h"

namespace attentune {

// prefill: the whole sequence attends to itself; decode: one new query against all keys.
enum class Phase : std::uint8_t { prefill, decode };
[[nodiscard]] std::string_view name(Phase phase) noexcept;
[[nodiscard]] std::optional<Phase> parse_phase(std::string_view text) noexcept;

// One kind of attention layer of one model.
struct Workload {
  enum class Phases : std::uint8_t { both, prefill_only, decode_only };

  std::string_view model;    // "gemma-2-9b"
  std::string_view layer;    // "local"; "" when the model has one kind
  std::string_view problem;  // canonical words without batch and seq
  Phases phases = Phases::both;
  std::int64_t seq = 0;     // taken when the user names no length
  std::int64_t keys = 0;    // cross attention: the KV length, whatever seq is; 0 = self attention
  std::string_view source;  // where the numbers come from
};
[[nodiscard]] const std::vector<Workload>& workloads();

// A Problem and how it is called: "gemma-2-9b.local.prefill".
struct NamedProblem {
  std::string name;
  Problem problem;
};

// `model` is a model ("gemma-2-9b": all its layers) or one layer ("gemma-2-9b.local"); no seq: the model's own; no
// phase: every phase the layer has. Throws RefusalError naming the known models, or the phases of this one.
[[nodiscard]] std::vector<NamedProblem> workload_problems(std::string_view model, std::optional<std::int64_t> seq,
                                                          std::optional<Phase> phase);

}  // namespace attentune
