// A one-entry kernel run on one buffer, for tests of single instructions and of faults.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "runtime/simulator/simulator.h"
#include "tests/simulator/run.h"

namespace attentune::simulator {

// Runs `body` with its parameter `out`, a buffer of 32-bit words registered read-write; %out holds its address.
struct KernelRun {
  std::string body;
  std::string_view registers = "";  // more .reg declarations
  std::string_view globals = "";    // declarations before the entry
  LaunchShape shape{.block = {.x = 32}};
  Options options;
  std::string_view target = "sm_80";
  std::vector<std::uint32_t> out = std::vector<std::uint32_t>(256);
  BufferAccess access = BufferAccess::read_write;

  // Fills `out`.
  Report run();
  // What stops it, "" when nothing does.
  [[nodiscard]] std::string fault();
};

// Every lane stores `result` of the body as word %tid.x of out: "%r0" and so on.
[[nodiscard]] std::vector<std::uint32_t> lanes_of(std::string_view body, std::string_view result = "%r0");

}  // namespace attentune::simulator
