#include "tools/attentune/memory.h"

#include <fmt/format.h>
#include <sys/resource.h>

#include <algorithm>
#include <fstream>
#include <limits>
#include <string>

#include "generator/error.h"
#include "tools/attentune/quantity.h"

namespace attentune {
namespace {

constexpr std::int64_t unlimited = std::numeric_limits<std::int64_t>::max();

// MemAvailable counts caches that the kernel would give back; free pages alone would refuse far too much.
std::int64_t machine_memory() {
  std::ifstream file("/proc/meminfo");
  std::string name;
  std::int64_t kib = 0;
  for (std::string unit; file >> name >> kib; std::getline(file, unit))
    if (name == "MemAvailable:")
      return kib * 1024;
  return unlimited;
}

std::int64_t read_number(const char* path) {
  std::ifstream file(path);
  std::int64_t value = 0;
  return file >> value ? value : -1;
}

std::int64_t group_memory() {
  const std::int64_t limit = read_number("/sys/fs/cgroup/memory.max");
  const std::int64_t used = read_number("/sys/fs/cgroup/memory.current");
  return limit < 0 || used < 0 ? unlimited : std::max<std::int64_t>(0, limit - used);
}

std::int64_t address_space() {
  rlimit limit{};
  if (getrlimit(RLIMIT_AS, &limit) != 0 || limit.rlim_cur == RLIM_INFINITY)
    return unlimited;
  return static_cast<std::int64_t>(std::min<rlim_t>(limit.rlim_cur, static_cast<rlim_t>(unlimited)));
}

}  // namespace

std::int64_t available_memory() { return std::min({machine_memory(), group_memory(), address_space()}); }

void require_memory(const Problem& problem) {
  const double needed = bytes(problem);
  const auto available = static_cast<double>(available_memory());
  if (needed > 0.9 * available)
    throw Error(
        Status::out_of_memory,
        fmt::format("out of memory: q, k, v and out of this problem take {} and {} are available; use a smaller "
                    "batch or seq",
                    format_bytes(needed), format_bytes(available)));
}

}  // namespace attentune
