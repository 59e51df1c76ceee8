#include "runtime/cuda/cubin.h"

#include <doctest/doctest.h>

#include <vector>

#include "generator/error.h"
#include "tests/runtime/cuda/tiny_binary.h"

using namespace attentune;

namespace {

bool refused(const std::vector<std::uint8_t>& bytes) {
  try {
    (void)cuda::read_cubin(bytes);
  } catch (const Error& error) {
    CHECK(error.status() == Status::device_failed);
    return true;
  }
  return false;
}

}  // namespace

TEST_CASE("kernels of both generations of the format are read") {
  const cuda::Cubin hopper = cuda::read_cubin(test::tiny_binary("sm_90a").object);
  CHECK(hopper.sm == 90);
  CHECK(hopper.entries ==
        std::vector<cuda::CubinEntry>{{.name = "copy", .registers = 12, .stack_bytes = 0, .shared_bytes = 32}});
  const cuda::Cubin ampere = cuda::read_cubin(test::tiny_binary("sm_80").object);
  CHECK(ampere.sm == 80);
  CHECK(ampere.entries == hopper.entries);
}

TEST_CASE("what is no cubin is refused") {
  CHECK(refused({}));
  CHECK(refused({0x7f, 'E', 'L', 'F'}));
  CHECK(refused(std::vector<std::uint8_t>(4096, 0)));
}

TEST_CASE("a cubin cut anywhere is refused, and a flipped byte never reads outside") {
  const std::vector<std::uint8_t> whole = test::tiny_binary().object;
  for (std::size_t size = 0; size < whole.size(); size += size < 512 ? 1 : 61)
    CHECK(refused({whole.begin(), whole.begin() + static_cast<std::ptrdiff_t>(size)}));
  for (std::size_t at = 0; at < whole.size(); at += 3) {
    std::vector<std::uint8_t> damaged = whole;
    damaged[at] ^= 0xFF;
    (void)refused(damaged);
  }
}
