// Structs of the C interface that begin with their size, read and written whatever size the caller knows.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string>

#include "generator/error.h"

namespace attentune::abi {

[[noreturn]] inline void refuse_size(const char* const name, const std::size_t size) {
  throw Error(Status::misuse, std::string(name) + "::size is " + std::to_string(size) +
                                  ", which no version of attentune used; zero the struct and set size = sizeof(" +
                                  name + ")");
}

// Every field boundary of every version is a multiple of this, so no pointer is ever cut in two.
inline constexpr std::size_t size_step = 8;
inline constexpr std::size_t largest_size = 4096;

// What the caller wrote, the rest at zero. A larger struct than ours is accepted iff all we do not know is zero: its
// caller asks for nothing we lack. (Linux reads its extensible structs by the same rule: copy_struct_from_user.)
template <typename Struct>
Struct read_sized(const Struct* const from, const std::size_t smallest, const char* const name) {
  std::size_t size = 0;
  std::memcpy(&size, from, sizeof size);
  if (size < smallest || size % size_step != 0 || size > largest_size) {
    refuse_size(name, size);
  }
  Struct result{};
  std::memcpy(&result, from, std::min(size, sizeof result));
  const auto* const bytes = reinterpret_cast<const std::uint8_t*>(from);
  for (std::size_t n = sizeof result; n < size; ++n) {
    if (bytes[n] != 0) {
      throw Error(Status::misuse, std::string(name) + " sets a field that this attentune (" ATTENTUNE_VERSION
                                                      ") does not know; leave it zero or use a newer library");
    }
  }
  result.size = size;
  return result;
}

// As much of `value` as the caller has room for; what it knows and we do not becomes zero. Its size stays.
template <typename Struct>
void write_sized(Struct* const to, const Struct& value, const std::size_t smallest, const char* const name) {
  std::size_t size = 0;
  std::memcpy(&size, to, sizeof size);
  if (size < smallest || size % size_step != 0 || size > largest_size) {
    refuse_size(name, size);
  }
  auto* const bytes = reinterpret_cast<std::uint8_t*>(to);
  std::memset(bytes + sizeof size, 0, size - sizeof size);
  std::memcpy(bytes + sizeof size, reinterpret_cast<const std::uint8_t*>(&value) + sizeof size,
              std::min(size, sizeof value) - sizeof size);
}

}  // namespace attentune::abi
