// What makes two host CPUs the same for a Winner: brand, features, caches, threads used.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "generator/arch.h"
#include "generator/device_identity.h"

namespace attentune {

// Caches of one core in KiB, 0 where unknown.
struct CacheSizes {
  std::int64_t l1_data = 0;
  std::int64_t l2 = 0;
  std::int64_t l3 = 0;

  bool operator==(const CacheSizes&) const = default;
};

[[nodiscard]] DeviceIdentity host_identity(const Arch& arch, int threads);

// The brand in the text of /proc/cpuinfo ("model name", or aarch64's implementer and part) as one word: what cannot
// stand in an identity becomes '_'. "" when there is none.
[[nodiscard]] std::string brand_word(std::string_view cpuinfo);
// Of a sysfs cache folder, such as /sys/devices/system/cpu/cpu0/cache; zeros where it says nothing.
[[nodiscard]] CacheSizes sysfs_caches(const std::string& folder);
// From CPUID (x86-64), then from sysconf: containers often hide sysfs.
[[nodiscard]] CacheSizes hardware_caches();

}  // namespace attentune
