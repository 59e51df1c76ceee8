// Blobs: what is packed comes back, and nothing else passes.
#include "cache/blob.h"

#include "tests/cache/helpers.h"

namespace attentune::test {

TEST_CASE("a blob comes back as it was") {
  for (const std::size_t size : {std::size_t{0}, std::size_t{1}, std::size_t{1000}, std::size_t{1} << 20U}) {
    std::string bytes(size, 'x');
    for (std::size_t i = 0; i < size; i += 3)
      bytes[i] = static_cast<char>(i * 31);
    const Blob blob = pack_blob(bytes);
    CHECK(blob.bytes == static_cast<std::int64_t>(size));
    const auto back = unpack_blob(blob.packed, blob.bytes, blob.sha256);
    REQUIRE(back);
    CHECK(as_text(*back) == bytes);
  }
}

TEST_CASE("every flipped bit, every cut and every wrong size is noticed") {
  const std::string bytes = "attention is a sum of values weighted by a softmax of scores";
  const Blob blob = pack_blob(bytes);
  for (std::size_t bit = 0; bit < blob.packed.size() * 8; ++bit) {
    auto packed = blob.packed;
    packed[bit / 8] = static_cast<std::uint8_t>(packed[bit / 8] ^ (1U << (bit % 8)));
    const auto back = unpack_blob(packed, blob.bytes, blob.sha256);
    if (back)
      CHECK(as_text(*back) == bytes);  // a bit of the frame that carries nothing
  }
  for (std::size_t length = 0; length < blob.packed.size(); ++length) {
    CHECK_FALSE(unpack_blob(std::span(blob.packed).first(length), blob.bytes, blob.sha256));
  }
  for (const std::int64_t size : {std::int64_t{-1}, std::int64_t{0}, blob.bytes - 1, blob.bytes + 1,
                                  maximum_blob_bytes + 1, std::numeric_limits<std::int64_t>::max()}) {
    CHECK_FALSE(unpack_blob(blob.packed, size, blob.sha256));
  }
  CHECK_FALSE(unpack_blob(blob.packed, blob.bytes, ""));
}

TEST_CASE("a small blob that unpacks to gigabytes is refused without unpacking it") {
  const std::string zeros(static_cast<std::size_t>(maximum_blob_bytes), '\0');
  const Blob bomb = pack_blob(zeros);
  CHECK(bomb.packed.size() < 10'000);
  CHECK_FALSE(unpack_blob(bomb.packed, 1000, bomb.sha256));
}

}  // namespace attentune::test
