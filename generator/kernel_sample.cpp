#include "generator/kernel_sample.h"

#include <array>
#include <optional>
#include <string>
#include <string_view>

#include <fmt/format.h>

#include "generator/pairwise.h"
#include "generator/seeded_sequence.h"
#include "generator/text.h"

namespace attentune {
namespace {

constexpr std::array<std::string_view, 2> dtypes{"f16", "bf16"};
constexpr std::array<std::string_view, 4> heads{"2", "4/2", "8/1", "14/2"};
constexpr std::array<std::string_view, 7> head_dims{"8", "40", "80", "96/72", "128", "192/128", "256"};
constexpr std::array<std::string_view, 6> lengths{"1/257", "5/131", "67/45", "150/301", "300/300", "129/0"};
constexpr std::array<std::string_view, 6> masks{"all",
                                                "causal()",
                                                "causal()&window(40,0)",
                                                "window(30,20)",
                                                "causal()&(window(25,0)|sink(4))",
                                                "(causal()|sink(3))&(window(20,9)|sink(5)|window(2,50))"};
constexpr std::array<std::string_view, 3> scores{"score", "score", "softcap(15)"};
constexpr std::array<std::string_view, 2> outputs{"out", "out,lse"};
constexpr std::array<std::string_view, 2> sinks{"no", "yes"};

constexpr int problem_count = 160;
constexpr int configs_a_problem = 16;
constexpr int draws_a_config = 4000;

template <typename Values>
const auto& one_of(const Values& values, SeededSequence& random) {
  return values[random.below(std::size(values))];
}

// A feasible point of the space, drawn dimension by dimension; nothing when none was met.
std::optional<Config> draw_config(const ConfigSpace& space, SeededSequence& random) {
  for (int n = 0; n < draws_a_config; ++n) {
    Config config;
    for (const ConfigSpace::Dimension& dimension : space.dimensions())
      config.add(dimension.name, one_of(dimension.values, random), dimension.kind);
    if (!space.why_not(config))
      return config;
  }
  return std::nullopt;
}

}  // namespace

std::vector<KernelSamplePoint> kernel_sample(const KernelFamily& family, const Arch& arch, std::uint64_t seed,
                                             std::size_t limit) {
  SeededSequence random(seed);
  std::vector<KernelSamplePoint> points;
  std::vector<std::vector<std::string>> rows;
  for (int n = 0; n < problem_count; ++n) {
    const std::array<std::pair<std::string_view, std::string_view>, 8> words{{{"dtype", one_of(dtypes, random)},
                                                                              {"heads", one_of(heads, random)},
                                                                              {"head_dim", one_of(head_dims, random)},
                                                                              {"seq", one_of(lengths, random)},
                                                                              {"mask", one_of(masks, random)},
                                                                              {"score", one_of(scores, random)},
                                                                              {"outputs", one_of(outputs, random)},
                                                                              {"sink_logit", one_of(sinks, random)}}};
    std::string text;
    for (const auto& [name, value] : words)
      text += fmt::format("{}{}={}", text.empty() ? "" : " ", name, value);
    const Problem problem = parse_problem(text);
    const ConfigSpace space = family.space(problem, arch);
    for (int k = 0; k < configs_a_problem; ++k) {
      const std::optional<Config> config = draw_config(space, random);
      if (!config)
        break;
      std::vector<std::string>& row = rows.emplace_back();
      for (const auto& [name, value] : words) {
        if (name != "seq")
          row.emplace_back(value);
      }
      for (const Choice& choice : config->choices()) {
        if (choice.kind == ChoiceKind::compile)
          row.push_back(choice.value);
      }
      points.push_back({.problem = problem, .config = *config});
    }
  }
  std::vector<KernelSamplePoint> sample;
  for (const std::size_t place : pairwise_cover(rows, seed, limit))
    sample.push_back(points[place]);
  return sample;
}

}  // namespace attentune
