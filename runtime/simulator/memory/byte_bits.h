// One bit a byte of a stretch of memory.
#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <vector>

namespace attentune::simulator {

class ByteBits {
 public:
  ByteBits() = default;
  explicit ByteBits(std::size_t bytes) : words_(bytes / 64 + 2) {}

  // At most 32 bytes from `offset`, as a mask.
  [[nodiscard]] std::uint32_t get(std::size_t offset, std::uint32_t bytes) const noexcept {
    const std::size_t word = offset / 64;
    const auto shift = static_cast<int>(offset % 64);
    const std::uint64_t low = words_[word] >> shift;
    const std::uint64_t high = shift == 0 ? 0 : words_[word + 1] << (64 - shift);
    return static_cast<std::uint32_t>((low | high) & ((std::uint64_t{1} << bytes) - 1));
  }
  [[nodiscard]] bool all(std::size_t offset, std::uint32_t bytes) const noexcept {
    return get(offset, bytes) == static_cast<std::uint32_t>((std::uint64_t{1} << bytes) - 1);
  }
  void set(std::size_t offset, std::uint32_t bytes, bool value = true) noexcept {
    const std::size_t word = offset / 64;
    const auto shift = static_cast<int>(offset % 64);
    const std::uint64_t mask = (std::uint64_t{1} << bytes) - 1;
    const std::uint64_t high = shift == 0 ? 0 : mask >> (64 - shift);
    words_[word] = value ? words_[word] | mask << shift : words_[word] & ~(mask << shift);
    words_[word + 1] = value ? words_[word + 1] | high : words_[word + 1] & ~high;
  }
  [[nodiscard]] bool empty() const noexcept { return words_.empty(); }

 private:
  std::vector<std::uint64_t> words_;
};

}  // namespace attentune::simulator
