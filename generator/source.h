// Source: complete text, compilable by hand from the file alone, and how to launch what comes out of it.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "generator/launch_rule.h"

namespace attentune {

enum class Language : std::uint8_t { llvm_ir, cuda };

struct Source {
  Language language = Language::llvm_ir;
  std::string text;
  std::vector<LaunchRule> launches;  // at least one, in launch order

  bool operator==(const Source&) const = default;
};

}  // namespace attentune
