// Turns a host template (textual LLVM IR with named constants left open) into complete text for one Arch.
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "generator/arch.h"

namespace attentune {

struct HostSpecialization {
  std::vector<std::pair<std::string_view, std::int64_t>> constants;  // name and value of every constant of the template
  std::string definitions;                                           // IR text of the functions the template declares
  int vector_bits = 128;
};

// Only lines outside of function bodies change: constants, the target, attribute groups, and declarations of what
// `definitions` defines. Throws Error(internal) when a constant of the template has no value.
[[nodiscard]] std::string specialize_host_template(std::string_view ir, const Arch& arch,
                                                   const HostSpecialization& specialization);

}  // namespace attentune
