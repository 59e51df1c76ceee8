#include "runtime/host_identity.h"

#include <unistd.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cstring>
#include <fstream>
#include <optional>
#include <sstream>

#if defined(__x86_64__)
#include <cpuid.h>
#endif

#include "generator/key.h"

namespace attentune {
namespace {

constexpr std::size_t most_name_letters = 64;

std::optional<std::string> read_text(const std::string& path) {
  std::ifstream file(path);
  if (!file) {
    return std::nullopt;
  }
  std::ostringstream text;
  text << file.rdbuf();
  return std::move(text).str();
}

// The value of the first "key : value" line.
std::string_view field(const std::string_view text, const std::string_view key) {
  for (std::size_t begin = 0; begin < text.size();) {
    const std::size_t end = std::min(text.find('\n', begin), text.size());
    const std::string_view line = text.substr(begin, end - begin);
    const std::size_t colon = line.find(':');
    if (line.starts_with(key) && colon != std::string_view::npos &&
        line.substr(key.size(), colon - key.size()).find_first_not_of(" \t") == std::string_view::npos) {
      return line.substr(colon + 1);
    }
    begin = end + 1;
  }
  return {};
}

std::string as_word(const std::string_view text) {
  std::string word;
  for (const char c : text) {
    const bool plain = (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '.' ||
                       c == '-' || c == '(' || c == ')' || c == '@' || c == '+';
    if (plain) {
      word += c;
    } else if (!word.empty() && word.back() != '_') {
      word += '_';
    }
  }
  word.resize(std::min(word.size(), most_name_letters));
  while (!word.empty() && word.back() == '_') {
    word.pop_back();
  }
  return word;
}

// "48K", "2M" in KiB.
std::int64_t kib(const std::string_view text) {
  std::int64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc{} || value < 0 || value > (std::int64_t{1} << 40)) {
    return 0;
  }
  return end != text.data() + text.size() && *end == 'M' ? value * 1024 : value;
}

void keep(CacheSizes& sizes, const int level, const std::int64_t size) {
  std::int64_t* const place = level == 1 ? &sizes.l1_data : level == 2 ? &sizes.l2 : level == 3 ? &sizes.l3 : nullptr;
  if (place != nullptr) {
    *place = std::max(*place, size);
  }
}

#if defined(__x86_64__)
// CPUID leaf 4 (Intel SDM vol. 2A) and its AMD twin 0x8000001D (APM vol. 3): one subleaf a cache, same layout.
CacheSizes cpuid_caches() {
  CacheSizes sizes;
  for (const unsigned leaf : {4U, 0x8000001DU}) {
    for (unsigned index = 0; index < 16; ++index) {
      unsigned a = 0;
      unsigned b = 0;
      unsigned c = 0;
      unsigned d = 0;
      if (__get_cpuid_count(leaf, index, &a, &b, &c, &d) == 0 || (a & 31U) == 0) {
        break;
      }
      if ((a & 31U) == 2) {
        continue;  // instructions only
      }
      const std::int64_t bytes = static_cast<std::int64_t>((b >> 22U) + 1) * (((b >> 12U) & 1023U) + 1) *
                                 ((b & 4095U) + 1) * (static_cast<std::int64_t>(c) + 1);
      keep(sizes, static_cast<int>((a >> 5U) & 7U), bytes / 1024);
    }
    if (sizes != CacheSizes{}) {
      return sizes;
    }
  }
  return sizes;
}
#else
CacheSizes cpuid_caches() { return {}; }
#endif

std::int64_t configured(const int name) {
  const long bytes = sysconf(name);
  return bytes > 0 ? bytes / 1024 : 0;
}

CacheSizes filled(const CacheSizes& first, const CacheSizes& second) {
  return {.l1_data = first.l1_data > 0 ? first.l1_data : second.l1_data,
          .l2 = first.l2 > 0 ? first.l2 : second.l2,
          .l3 = first.l3 > 0 ? first.l3 : second.l3};
}

std::string cpuid_brand() {
#if defined(__x86_64__)
  std::array<unsigned, 12> words{};
  for (unsigned n = 0; n < 3; ++n) {
    unsigned* const w = &words[std::size_t{n} * 4];
    if (__get_cpuid(0x80000002U + n, &w[0], &w[1], &w[2], &w[3]) == 0) {
      return {};
    }
  }
  std::array<char, sizeof words + 1> text{};
  std::memcpy(text.data(), words.data(), sizeof words);
  return as_word(text.data());
#else
  return {};
#endif
}

}  // namespace

std::string brand_word(const std::string_view cpuinfo) {
  std::string brand = as_word(field(cpuinfo, "model name"));
  if (!brand.empty()) {
    return brand;
  }
  const std::string implementer = as_word(field(cpuinfo, "CPU implementer"));
  const std::string part = as_word(field(cpuinfo, "CPU part"));
  return implementer.empty() || part.empty() ? std::string{} : "arm_" + implementer + "_" + part;
}

CacheSizes sysfs_caches(const std::string& folder) {
  CacheSizes sizes;
  for (int index = 0; index < 16; ++index) {
    const std::string cache = folder + "/index" + std::to_string(index);
    const std::optional<std::string> level = read_text(cache + "/level");
    if (!level || level->empty()) {
      break;
    }
    if (read_text(cache + "/type").value_or("").starts_with("Instruction")) {
      continue;
    }
    keep(sizes, level->front() - '0', kib(read_text(cache + "/size").value_or("")));
  }
  return sizes;
}

CacheSizes hardware_caches() {
  return filled(cpuid_caches(), {.l1_data = configured(_SC_LEVEL1_DCACHE_SIZE),
                                 .l2 = configured(_SC_LEVEL2_CACHE_SIZE),
                                 .l3 = configured(_SC_LEVEL3_CACHE_SIZE)});
}

DeviceIdentity host_identity(const Arch& arch, const int threads) {
  std::string name = brand_word(read_text("/proc/cpuinfo").value_or(""));
  if (name.empty()) {
    name = cpuid_brand();
  }
  const CacheSizes caches = filled(sysfs_caches("/sys/devices/system/cpu/cpu0/cache"), hardware_caches());
  DeviceIdentity identity;
  identity.kind = DeviceIdentity::Kind::host;
  identity.name = name.empty() ? "unknown" : name;
  identity.arch = short_name(arch);
  identity.features_digest = sha256_hex(to_text(arch)).substr(0, 8);
  identity.l1_kib = caches.l1_data;
  identity.l2_kib = caches.l2;
  identity.l3_kib = caches.l3;
  identity.threads = threads;
  return identity;
}

}  // namespace attentune
