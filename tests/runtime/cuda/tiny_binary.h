// Cubins of tiny_source(), kept as files so that tests of loading need no compiler: NVRTC 13.0 made tiny_sm_90a.cubin,
// NVRTC 12.9 tiny_sm_80.cubin.
#pragma once

#include <fstream>
#include <iterator>
#include <string>

#include "generator/binary.h"
#include "tests/runtime/cuda/tiny_source.h"

namespace attentune::test {

inline Binary tiny_binary(const std::string& target = "sm_90a") {
  std::ifstream file(std::string(ATTENTUNE_TEST_DATA) + "/cuda/tiny_" + target + ".cubin", std::ios::binary);
  Binary binary;
  binary.key = "tiny";
  binary.arch = target;
  binary.family = "tiny";
  binary.compiler = "nvrtc 13.0";
  binary.object.assign(std::istreambuf_iterator<char>(file), {});
  binary.launches = tiny_source().launches;
  binary.minimum_driver = 12000;
  return binary;
}

}  // namespace attentune::test
