// DeviceIdentity: what makes two devices the same for a Winner (DESIGN section 1). Never a UUID, never a clock.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace attentune {

struct DeviceIdentity {
  enum class Kind : std::uint8_t { host, gpu, simulator };
  Kind kind = Kind::host;
  std::string name;  // CPU brand or GPU name
  std::string arch;  // short_name of the Arch
  // host
  std::string features_digest;  // first 8 hex digits of SHA-256 over the Arch's text
  std::int64_t l1_kib = 0;      // data, per core
  std::int64_t l2_kib = 0;      // per core on a host, whole device on a GPU
  std::int64_t l3_kib = 0;
  int threads = 0;  // threads used
  // gpu
  int sms = 0;
  std::int64_t memory_gib = 0;
  int bus_bits = 0;
  std::string mig_profile;  // "" = none
  std::string power_class;  // "" = default

  bool operator==(const DeviceIdentity&) const = default;
};

// "host name=Intel_Xeon arch=sapphirerapids features=1a2b3c4d l1=48 l2=2048 l3=107520 threads=2"; enters the tuning
// key.
[[nodiscard]] std::string to_text(const DeviceIdentity& identity);
// The inverse of to_text; throws RefusalError.
[[nodiscard]] DeviceIdentity parse_device_identity(std::string_view text);

}  // namespace attentune
