#include "generator/arch.h"

#include <algorithm>

#include <fmt/format.h>

#include "generator/error.h"
#include "generator/text.h"

namespace attentune {
namespace {

constexpr std::int64_t kib = 1024;

[[noreturn]] void refuse_gpu(std::string_view value) {
  std::vector<std::string> names;
  for (const Arch& arch : gpu_archs())
    names.push_back(arch.name);
  throw RefusalError({"arch", std::string(value), "it is not in the table of GPU targets",
                      fmt::format("use one of {}", fmt::join(names, " "))});
}

}  // namespace

// Limits: CUDA C++ Programming Guide, "Compute Capabilities", tables of technical specifications per compute
// capability. Rates: the architectures' white papers, dense. Where wgmma or tcgen05 drive the matrix units at full
// rate, mma.sync reaches a part of it: half is assumed on 9.0, a quarter on 10.x.
const std::vector<GpuArch>& gpu_arch_table() {
  static const std::vector<GpuArch> table{
      {8, 0, "sm_80", 163 * kib, 164 * kib, 65536, 64, false, false, 108, 2048, 64},
      {8, 6, "sm_86", 99 * kib, 100 * kib, 65536, 48, false, false, 72, 1024, 128},
      {8, 7, "sm_87", 163 * kib, 164 * kib, 65536, 48, false, false, 16, 2048, 128},
      {8, 9, "sm_89", 99 * kib, 100 * kib, 65536, 48, true, false, 128, 1024, 128},
      {9, 0, "sm_90a", 227 * kib, 228 * kib, 65536, 64, true, true, 132, 2048, 128},
      {10, 0, "sm_100f", 227 * kib, 228 * kib, 65536, 64, true, false, 148, 2048, 128},
      {10, 3, "sm_100f", 227 * kib, 228 * kib, 65536, 64, true, false, 148, 2048, 128},
      {12, 0, "sm_120f", 99 * kib, 100 * kib, 65536, 48, true, false, 170, 1024, 128},
      {12, 1, "sm_120f", 99 * kib, 100 * kib, 65536, 48, true, false, 48, 1024, 128},
  };
  return table;
}

bool Arch::has(std::string_view feature) const noexcept {
  return std::binary_search(features.begin(), features.end(), feature);
}

std::string to_text(const Arch& arch) {
  if (!arch.is_host())
    return arch.name;
  return fmt::format("host:{}:{}:{}", arch.machine, arch.name, fmt::join(arch.features, ","));
}

std::string short_name(const Arch& arch) { return arch.name; }

const GpuArch& limits_of(const Arch& arch) {
  for (const GpuArch& row : gpu_arch_table()) {
    if (row.target == arch.name)
      return row;
  }
  refuse_gpu(arch.name);
}

Arch gpu_arch(int major, int minor) {
  for (const GpuArch& row : gpu_arch_table()) {
    if (row.major == major && row.minor == minor) {
      return Arch{.kind = Arch::Kind::gpu, .name = std::string(row.target), .machine = {}, .features = {}};
    }
  }
  refuse_gpu(fmt::format("{}.{}", major, minor));
}

Arch gpu_arch(std::string_view target) {
  for (const GpuArch& row : gpu_arch_table()) {
    if (row.target == target || fmt::format("sm_{}{}", row.major, row.minor) == target)
      return gpu_arch(row.major, row.minor);
  }
  refuse_gpu(shown(target));
}

std::vector<Arch> gpu_archs() {
  std::vector<Arch> archs;
  for (const GpuArch& row : gpu_arch_table()) {
    if (archs.empty() || archs.back().name != row.target)
      archs.push_back(gpu_arch(row.target));
  }
  return archs;
}

Arch parse_arch(std::string_view text) {
  if (!text.starts_with("host:"))
    return gpu_arch(text);
  const std::size_t machine_end = text.find(':', 5);
  const std::size_t name_end = machine_end == std::string_view::npos ? machine_end : text.find(':', machine_end + 1);
  if (name_end == std::string_view::npos) {
    throw RefusalError(
        {"arch", shown(text), "a host arch is host:MACHINE:CPU:FEATURES", "write it as `attentune devices` prints it"});
  }
  Arch arch{.kind = Arch::Kind::host,
            .name = std::string(text.substr(machine_end + 1, name_end - machine_end - 1)),
            .machine = std::string(text.substr(5, machine_end - 5)),
            .features = {}};
  std::string_view rest = text.substr(name_end + 1);
  while (!rest.empty()) {
    const std::size_t comma = std::min(rest.find(','), rest.size());
    arch.features.emplace_back(rest.substr(0, comma));
    rest = rest.substr(std::min(comma + 1, rest.size()));
  }
  std::sort(arch.features.begin(), arch.features.end());
  return arch;
}

}  // namespace attentune
