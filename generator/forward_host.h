// forward_host: attention forward on host CPUs (templates/host/forward.c).
#pragma once

#include "generator/kernel_family.h"

namespace attentune {

class ForwardHost final : public KernelFamily {
 public:
  [[nodiscard]] std::string_view name() const override { return "forward_host"; }
  [[nodiscard]] std::optional<Refusal> refusal(const Problem& problem, const Arch& arch) const override;
  [[nodiscard]] ConfigSpace space(const Problem& problem, const Arch& arch) const override;
  [[nodiscard]] Config default_config(const Problem& problem, const Arch& arch) const override;
  [[nodiscard]] Resources resources(const Problem& problem, const Arch& arch, const Config& config) const override;
  [[nodiscard]] Source render(const Problem& problem, const Arch& arch, const Config& config) const override;
};

}  // namespace attentune
