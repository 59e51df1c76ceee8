// Helpers: a PTX text run on host buffers.
#pragma once

#include <cstddef>
#include <cstring>
#include <string>
#include <string_view>
#include <vector>

#include "runtime/simulator/simulator.h"

namespace attentune::simulator {

// A module of one entry `k` for sm_80: `body` between its braces, parameters as "u64 out, u32 n" would be in C.
[[nodiscard]] std::string module_text(std::string_view parameters, std::string_view body,
                                      std::string_view globals = "");

// The parameter block of those values, each at a multiple of its size.
class Parameters {
 public:
  template <class T>
  Parameters& operator<<(const T& value) {
    bytes_.resize((bytes_.size() + sizeof(T) - 1) / sizeof(T) * sizeof(T) + sizeof(T));
    std::memcpy(bytes_.data() + bytes_.size() - sizeof(T), &value, sizeof(T));
    return *this;
  }
  [[nodiscard]] const std::vector<std::byte>& bytes() const noexcept { return bytes_; }

 private:
  std::vector<std::byte> bytes_;
};

// What stops a run, "" when nothing does.
template <class Run>
[[nodiscard]] std::string fault_of(Run&& run) {
  try {
    run();
  } catch (const Fault& fault) {
    return fault.what();
  }
  return "";
}

}  // namespace attentune::simulator
