// attentune generate: the Source of a kernel.
#include <fmt/format.h>

#include "tools/attentune/command.h"
#include "tools/attentune/output.h"
#include "tools/attentune/problem_list.h"
#include "tools/attentune/session.h"

namespace attentune {
namespace {

// Everything one needs to know beside the text, as comments of its language.
std::string heading(const Problem& problem, const Arch& arch, const FamilyConfig& choice, const Source& source) {
  const std::string_view comment = source.language == Language::llvm_ir ? ";" : "//";
  return fmt::format("{0} problem {1}\n{0} family {2}, config {3}\n{0} arch {4}\n{0} launches {5}\n", comment,
                     to_text(problem), choice.family->name(), to_text(choice.config), short_name(arch),
                     to_text(source.launches));
}

}  // namespace

int run_generate(const Arguments& arguments) {
  const Arch arch = arch_of(arguments);
  const std::vector<NamedProblem> problems = problem_list(arguments.problems);
  require_output(arguments.output, problems.size(), arguments.json);
  std::string text;
  for (const NamedProblem& named : problems) {
    const FamilyConfig choice = choose(named.problem, arch, arguments.config);
    const Source source = choice.family->render(named.problem, arch, choice.config);
    text += arguments.launches ? to_text(source.launches) + "\n"
                               : heading(named.problem, arch, choice, source) + source.text;
  }
  write_output(text, arguments.output);
  return 0;
}

}  // namespace attentune
