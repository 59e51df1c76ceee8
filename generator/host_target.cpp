#include "generator/host_target.h"

#include <algorithm>
#include <array>

#include <fmt/format.h>

namespace attentune {
namespace {

constexpr std::array<HostTarget, 2> targets{{
    {.machine = "x86_64",
     .triple = "x86_64-unknown-linux-gnu",
     .data_layout = "e-m:e-p270:32:32-p271:32:32-p272:64:64-i64:64-i128:128-f80:128-n8:16:32:64-S128",
     .baseline = "x86-64"},
    {.machine = "aarch64",
     .triple = "aarch64-unknown-linux-gnu",
     .data_layout = "e-m:e-i8:8:32-i16:16:32-i64:64-i128:128-n32:64-S128-Fn32",
     .baseline = "generic"},
}};

}  // namespace

const HostTarget* host_target(std::string_view machine) noexcept {
  const auto found =
      std::find_if(targets.begin(), targets.end(), [&](const HostTarget& target) { return target.machine == machine; });
  return found == targets.end() ? nullptr : &*found;
}

// Intel SDM vol. 1, 15.1 (AVX-512), 14.1 (AVX); Arm ARM, A1.4 (NEON).
int vector_bits(const Arch& arch) noexcept {
  if (arch.machine != "x86_64")
    return 128;
  if (arch.has("avx512f") && arch.has("avx512vl"))
    return 512;
  return arch.has("avx") ? 256 : 128;
}

// With AVX-512VL the upper sixteen registers exist at every width.
int vector_registers(const Arch& arch, int) noexcept {
  return arch.machine != "x86_64" || vector_bits(arch) == 512 ? 32 : 16;
}

bool converts_f16(const Arch& arch) noexcept { return arch.machine == "aarch64" || arch.has("f16c"); }

std::string target_attributes(const Arch& arch, int bits) {
  const HostTarget* const target = host_target(arch.machine);
  std::string features;
  for (const std::string& feature : arch.features) {
    features += fmt::format("{}+{}", features.empty() ? "" : ",", feature);
  }
  return fmt::format(
      "\"min-legal-vector-width\"=\"{0}\" \"prefer-vector-width\"=\"{0}\" \"target-cpu\"=\"{1}\" "
      "\"target-features\"=\"{2}\" \"tune-cpu\"=\"{3}\"",
      bits, target == nullptr ? "" : target->baseline, features, arch.name);
}

}  // namespace attentune
