#include "cache/blob.h"

#include <zstd.h>

#include "generator/error.h"
#include "generator/key.h"

namespace attentune {

namespace {
// Objects are a few hundred KiB written once: a little better than zstd's default is free here.
constexpr int compression_level = 6;
}  // namespace

Blob pack_blob(std::string_view bytes) {
  if (bytes.size() > static_cast<std::size_t>(maximum_blob_bytes)) {
    throw Error(Status::store_failed, "a Binary or Source of " + std::to_string(bytes.size()) +
                                          " bytes is over the Store's limit of " + std::to_string(maximum_blob_bytes));
  }
  Blob blob{.packed = std::vector<std::uint8_t>(ZSTD_compressBound(bytes.size())),
            .bytes = static_cast<std::int64_t>(bytes.size()),
            .sha256 = sha256_hex(bytes)};
  const std::size_t packed =
      ZSTD_compress(blob.packed.data(), blob.packed.size(), bytes.data(), bytes.size(), compression_level);
  if (ZSTD_isError(packed) != 0U)
    throw Error(Status::out_of_memory, ZSTD_getErrorName(packed));
  blob.packed.resize(packed);
  return blob;
}

std::optional<std::vector<std::uint8_t>> unpack_blob(std::span<const std::uint8_t> packed, std::int64_t bytes,
                                                     std::string_view sha256) {
  if (bytes < 0 || bytes > maximum_blob_bytes)
    return std::nullopt;
  const auto size = static_cast<std::size_t>(bytes);
  // One spare byte, so that an empty blob still has somewhere to point.
  std::vector<std::uint8_t> unpacked(size + 1);
  const std::size_t written = ZSTD_decompress(unpacked.data(), size, packed.data(), packed.size());
  if (ZSTD_isError(written) != 0U || written != size)
    return std::nullopt;
  unpacked.resize(size);
  if (sha256_hex(as_text(unpacked)) != sha256)
    return std::nullopt;
  return unpacked;
}

}  // namespace attentune
