#include "generator/host_template.h"

#include <algorithm>
#include <array>

#include <fmt/format.h>

#include "generator/error.h"
#include "generator/host_target.h"

namespace attentune {
namespace {

// `@TILE_M = external constant i32, align 4` with its value instead of `external`.
std::string constant_line(std::string_view line, const HostSpecialization& specialization) {
  const std::string_view name = line.substr(1, line.find(' ') - 1);
  const auto found = std::find_if(specialization.constants.begin(), specialization.constants.end(),
                                  [&](const auto& constant) { return constant.first == name; });
  if (found == specialization.constants.end()) {
    throw Error(Status::internal, fmt::format("the template's constant {} has no value", name));
  }
  return fmt::format("@{} = internal constant i32 {}, align 4", name, found->second);
}

// An attribute group without what clang assumed of the target, and with what the Arch is.
std::string attribute_line(std::string_view line, const std::string& target) {
  constexpr std::array<std::string_view, 4> replaced{
      "\"target-cpu\"=", "\"target-features\"=", "\"tune-cpu\"=", "\"min-legal-vector-width\"="};
  std::string text;
  while (!line.empty()) {
    const std::size_t end = std::min(line.find(' '), line.size() - 1) + 1;
    const std::string_view word = line.substr(0, end);
    const bool drop = std::any_of(replaced.begin(), replaced.end(), [&](auto key) { return word.starts_with(key); });
    if (!drop)
      text += word;
    line.remove_prefix(end);
  }
  // "attributes #0 = { nounwind }": before the brace.
  text.insert(text.rfind('}'), target + " ");
  return text;
}

// Is this `declare` of a function that `definitions` defines?
bool is_defined(std::string_view line, std::string_view definitions) {
  const std::size_t at = line.find('@');
  const std::size_t end = line.find('(', std::min(at, line.size()));
  if (end == std::string_view::npos)
    return false;
  const std::string name{line.substr(at, end + 1 - at)};
  for (std::size_t define = definitions.find("define "); define != std::string_view::npos;
       define = definitions.find("\ndefine ", define + 1)) {
    const std::string_view head = definitions.substr(define + 1);
    if (head.substr(0, head.find('\n')).find(name) != std::string_view::npos)
      return true;
  }
  return false;
}

}  // namespace

std::string specialize_host_template(std::string_view ir, const Arch& arch, const HostSpecialization& specialization) {
  const HostTarget* const target = host_target(arch.machine);
  if (target == nullptr) {
    throw Error(Status::internal, fmt::format("no host target is named {}", arch.machine));
  }
  const std::string attributes = target_attributes(arch, specialization.vector_bits);
  std::string text;
  text.reserve(ir.size() + 4096);
  while (!ir.empty()) {
    const std::size_t end = std::min(ir.find('\n'), ir.size());
    const std::string_view line = ir.substr(0, end);
    ir.remove_prefix(std::min(end + 1, ir.size()));
    if (line.starts_with("target datalayout = ")) {
      text += fmt::format("target datalayout = \"{}\"", target->data_layout);
    } else if (line.starts_with("target triple = ")) {
      text += fmt::format("target triple = \"{}\"", target->triple);
    } else if (line.starts_with('@') && line.find(" = external constant i32") != std::string_view::npos) {
      text += constant_line(line, specialization);
    } else if (line.starts_with("attributes #") && line.find("\"target-") != std::string_view::npos) {
      text += attribute_line(line, attributes);
    } else if (line.starts_with("declare ") && is_defined(line, specialization.definitions)) {
      continue;
    } else {
      text += line;
    }
    text += '\n';
  }
  return text + '\n' + specialization.definitions;
}

}  // namespace attentune
