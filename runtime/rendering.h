// Rendering: what a Config becomes for an Arch today, the text and the key its Binary has wherever it is compiled.
#pragma once

#include <optional>
#include <string>

#include "generator/config.h"
#include "generator/kernel_family.h"
#include "generator/problem.h"
#include "generator/source.h"
#include "generator/winner.h"
#include "runtime/compiler.h"

namespace attentune {

struct Rendering {
  const KernelFamily* family = nullptr;
  Problem problem;  // fixes the class; its sizes are of no account
  Config config;
  Source source;
  std::string key;
};

// Throws RefusalError when the family does not serve the problem there or the Config cannot be rendered. About 1 ms.
[[nodiscard]] Rendering render(const KernelFamily& family, const Problem& problem, const Config& config,
                               const Arch& arch, const Compiler& compiler);

// A Winner's Config as today's generator and compiler make it for `problem`; nothing when today's generator does not
// know the family or the Config any more. The Winner is current if `key` is the key that was measured, else stale.
[[nodiscard]] std::optional<Rendering> render(const Winner& winner, const Problem& problem, const Arch& arch,
                                              const Compiler& compiler);
[[nodiscard]] bool is_current(const Winner& winner, const std::optional<Rendering>& rendering);

}  // namespace attentune
