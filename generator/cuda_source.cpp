#include "generator/cuda_source.h"

#include <array>

#include <fmt/format.h>

#include "generator/key.h"
#include "generator/mask_runs.h"
#include "templates/templates.h"

namespace attentune {

std::string cuda_heading(std::string_view family, const Problem& problem, const Arch& arch, const Config& config) {
  return fmt::format(
      "// attentune {}\n// class:  {}\n// arch:   {}\n// config: {}\n// By hand: nvcc -cubin -arch={} FILE.cu\n",
      family, class_text(problem), short_name(arch), config.compile_text(), arch.name);
}

std::string cuda_constants(std::span<const CudaConstant> constants) {
  std::string text = "enum : int {\n";
  for (const auto& [name, value] : constants)
    text += fmt::format("  {} = {},\n", name, value);
  return text + "};\n";
}

std::string cuda_problem_constants(const Problem& p) {
  const std::array<CudaConstant, 8> constants{
      {{"GROUP", p.group()},
       {"HEAD_DIM_QK", p.head_dim_qk},
       {"HEAD_DIM_V", p.head_dim_v},
       {"IS_BF16", p.q == Dtype::bf16 ? 1 : 0},
       {"HAS_LSE", p.lse ? 1 : 0},
       {"HAS_SINK_LOGIT", p.sink_logit ? 1 : 0},
       {"HAS_SCORE", p.score.is_identity() ? 0 : 1},
       {"KEY_RUNS", static_cast<std::int64_t>(visible_runs(p.mask.structure->root).size())}}};
  return cuda_constants(constants);
}

std::string cuda_files(std::span<const std::string_view> names) {
  std::string text;
  for (const std::string_view name : names)
    text += fmt::format("\n// ---- {}\n{}", name, templates::text(name));
  return text;
}

std::string cuda_expressions(const Problem& problem) {
  return "\n// ---- generated from the problem\n" + mask_cuda(*problem.mask.structure) + '\n' +
         score_cuda(*problem.score.structure);
}

}  // namespace attentune
