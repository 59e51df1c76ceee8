// Blob: bytes as the Store keeps them: zstd, and the SHA-256 of what comes out.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace attentune {

// No kernel object or Source comes near; a header that promises more is hostile or damaged.
inline constexpr std::int64_t maximum_blob_bytes = std::int64_t{64} << 20;

struct Blob {
  std::vector<std::uint8_t> packed;
  std::int64_t bytes = 0;  // unpacked
  std::string sha256;      // of the unpacked bytes
};

// Throws Error(store_failed) above maximum_blob_bytes.
[[nodiscard]] Blob pack_blob(std::string_view bytes);
// nullopt when anything is not as pack_blob left it. Never allocates more than `bytes`, itself bounded.
[[nodiscard]] std::optional<std::vector<std::uint8_t>> unpack_blob(std::span<const std::uint8_t> packed,
                                                                   std::int64_t bytes, std::string_view sha256);

[[nodiscard]] inline std::string_view as_text(std::span<const std::uint8_t> bytes) noexcept {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

}  // namespace attentune
