// A KernelFamily for tests: forward_host's default kernel behind an entry that does something bad first, or after.
#pragma once

#include <string>
#include <string_view>

#include "generator/kernel_family.h"
#include "runtime/device.h"
#include "tuner/protocol.h"

namespace attentune::test {

// The one choice, fault:
//   none           the real kernel
//   slow           the real kernel thirty times: the default Config, slower than "none" on the busiest machine
//   null           stores to address 8
//   hang           an endless loop
//   trap           an illegal instruction
//   out_of_bounds  right numbers, and 8 bytes in front of out
//   wrong          right numbers but one
//   idle           returns at once: the fastest of all
//   uncompilable   text that is no IR
class FaultyFamily final : public KernelFamily {
 public:
  [[nodiscard]] std::string_view name() const override { return "faulty"; }
  [[nodiscard]] std::optional<Refusal> refusal(const Problem& problem, const Arch& arch) const override;
  [[nodiscard]] ConfigSpace space(const Problem& problem, const Arch& arch) const override;
  [[nodiscard]] Config default_config(const Problem& problem, const Arch& arch) const override;
  [[nodiscard]] Resources resources(const Problem& problem, const Arch& arch, const Config& config) const override;
  [[nodiscard]] Config relaunched(const Problem&, const Arch&, const Config& config) const override { return config; }
  [[nodiscard]] Source render(const Problem& problem, const Arch& arch, const Config& config) const override;
};

inline constexpr std::string_view small_problem = "dtype=f32 heads=2 head_dim=16 seq=96 mask=causal()";

// "fault=FAULT", compiled for the device.
[[nodiscard]] Candidate faulty_candidate(const Device& device, std::string_view fault);

}  // namespace attentune::test
