#include "runtime/cuda/cubin.h"

#include <doctest/doctest.h>

#include <vector>

#include "generator/error.h"
#include "runtime/cuda/compiler.h"
#include "tests/runtime/cuda/tiny_source.h"

using namespace attentune;

namespace {

std::vector<std::uint8_t> tiny_cubin() {
  try {
    return cuda::cuda_compiler_for(gpu_arch("sm_90a"), {})->compile(test::tiny_source()).object;
  } catch (const RefusalError& refusal) {
    MESSAGE(refusal.what());
    return {};
  }
}

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

TEST_CASE("what is no cubin is refused") {
  CHECK(refused({}));
  CHECK(refused({0x7f, 'E', 'L', 'F'}));
  CHECK(refused(std::vector<std::uint8_t>(4096, 0)));
}

TEST_CASE("a cubin cut anywhere is refused, and a flipped byte never reads outside") {
  const std::vector<std::uint8_t> whole = tiny_cubin();
  for (std::size_t size = 0; size < whole.size(); size += size < 512 ? 1 : 61)
    CHECK(refused({whole.begin(), whole.begin() + static_cast<std::ptrdiff_t>(size)}));
  for (std::size_t at = 0; at < whole.size(); at += 3) {
    std::vector<std::uint8_t> damaged = whole;
    damaged[at] ^= 0xFF;
    (void)refused(damaged);
  }
}
