// attentune compile: a kernel's object file, for this machine or another.
#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "generator/error.h"
#include "runtime/cuda/compiler.h"
#include "runtime/llvm/compiler.h"
#include "tools/attentune/command.h"
#include "tools/attentune/output.h"
#include "tools/attentune/problem_list.h"
#include "tools/attentune/quantity.h"
#include "tools/attentune/session.h"

namespace attentune {
namespace {

std::string entries_of(const Binary& binary) {
  std::string names;
  for (const LaunchRule& rule : binary.launches)
    names += (names.empty() ? "" : " ") + rule.entry;
  return names;
}

void print_binary(const NamedProblem& named, const Arch& arch, const FamilyConfig& choice, const Binary& binary,
                  bool json) {
  // A cubin stands alone; an object may need functions of the program it is linked into.
  const std::vector<std::string> undefined =
      arch.is_host() ? llvm_backend::undefined_symbols(binary.object) : std::vector<std::string>();
  if (json) {
    print_json({{"event", "binary"},
                {"problem", to_text(named.problem)},
                {"family", binary.family},
                {"config", to_text(choice.config)},
                {"arch", to_text(arch)},
                {"compiler", binary.compiler},
                {"key", binary.key},
                {"bytes", binary.object.size()},
                {"compile_ms", binary.compile_ms},
                {"entries", entries_of(binary)},
                {"undefined", undefined},
                {"registers", binary.registers},
                {"spill_bytes", binary.spill_bytes},
                {"shared_bytes", binary.shared_bytes},
                {"warnings", binary.warnings}});
    return;
  }
  fmt::print("{}\n", to_text(named.problem));
  fmt::print("  config     {} {}\n", choice.family->name(), to_text(choice.config));
  fmt::print("  for        {} by {} in {}\n", short_name(arch), binary.compiler, format_ms(binary.compile_ms));
  fmt::print("  object     {}, key {:.12}\n", format_bytes(static_cast<double>(binary.object.size())), binary.key);
  fmt::print("  entries    {}\n", entries_of(binary));
  if (arch.is_host())
    fmt::print("  needs      {}\n", undefined.empty() ? "nothing" : fmt::format("{}", fmt::join(undefined, " ")));
  else
    fmt::print("  uses       {} registers, {} spilled, {} of fixed shared memory\n", binary.registers,
               format_bytes(binary.spill_bytes), format_bytes(binary.shared_bytes));
  for (const std::string& warning : binary.warnings)
    fmt::print("  warning    {}\n", warning);
}

void print_assembly(const NamedProblem& named, const Arch& arch, const FamilyConfig& choice, const std::string& text) {
  print_json({{"event", "assembly"},
              {"problem", to_text(named.problem)},
              {"family", choice.family->name()},
              {"config", to_text(choice.config)},
              {"arch", to_text(arch)},
              {"assembly", text}});
}

}  // namespace

int run_compile(const Arguments& arguments) {
  const Arch arch = arch_of(arguments);
  const std::vector<NamedProblem> problems = problem_list(arguments.problems);
  require_output(arguments.output, problems.size(), arguments.json);
  const auto compiler = compiler_for(arch, compiler_options());
  for (const NamedProblem& named : problems) {
    const FamilyConfig choice = choose(named.problem, arch, arguments.config);
    const Rendering rendering = render(*choice.family, named.problem, choice.config, arch, *compiler);
    if (arguments.assembly) {
      const std::string text = arch.is_host()
                                   ? llvm_backend::assembly(rendering.source, arch)
                                   : cuda::cuda_compiler_for(arch, compiler_options())->ptx(rendering.source);
      if (arguments.json)
        print_assembly(named, arch, choice, text);
      if (!arguments.json || !arguments.output.empty())
        write_output(text, arguments.output);
      continue;
    }
    const Binary binary = compile(rendering, *compiler);
    if (!arguments.output.empty())
      write_output({reinterpret_cast<const char*>(binary.object.data()), binary.object.size()}, arguments.output);
    // With -o - the object itself is what standard output carries.
    if (arguments.output != "-")
      print_binary(named, arch, choice, binary, arguments.json);
  }
  return 0;
}

}  // namespace attentune
