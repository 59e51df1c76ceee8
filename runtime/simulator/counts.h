// What a run did, in counts.
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "runtime/simulator/decode/step.h"

namespace attentune::simulator {

inline constexpr std::size_t categories = static_cast<std::size_t>(Category::control) + 1;
inline constexpr std::size_t spaces = static_cast<std::size_t>(Space::constant) + 1;

struct Traffic {
  std::uint64_t read = 0;
  std::uint64_t written = 0;
  bool operator==(const Traffic&) const = default;
};

struct Counts {
  // Warp instructions, those with at least one active lane.
  std::uint64_t instructions = 0;
  std::array<std::uint64_t, categories> by_category{};
  std::map<std::string, std::uint64_t> by_opcode;
  // Bytes asked for by the active lanes, of all instructions; `generic` stays 0.
  std::array<Traffic, spaces> bytes{};
  std::uint64_t shared_cycles = 0;           // of shared-memory accesses
  std::uint64_t shared_conflict_cycles = 0;  // of those, more than conflict-free ones would take

  [[nodiscard]] std::uint64_t of(Category category) const noexcept {
    return by_category[static_cast<std::size_t>(category)];
  }
  [[nodiscard]] const Traffic& of(Space space) const noexcept { return bytes[static_cast<std::size_t>(space)]; }
  bool operator==(const Counts&) const = default;
};

// The end of a block that another may follow.
struct Predecessor {
  std::int32_t block_line = 0;  // of the PTX, where that block begins
  std::int32_t end_line = 0;    // of its last instruction that has a line of source, else of its last
  std::string source;           // of that instruction: "attention.cu:120"
  bool operator==(const Predecessor&) const = default;
};

// A basic block that no lane entered.
struct Unentered {
  std::int32_t ptx_line = 0;
  std::string source;                     // "attention.cu:120"
  std::vector<Predecessor> predecessors;  // entered or not
  bool operator==(const Unentered&) const = default;
};

struct Coverage {
  std::size_t blocks = 0;
  std::vector<Unentered> unentered;
  bool operator==(const Coverage&) const = default;
};

struct Report {
  Counts counts;
  Coverage coverage;
  bool operator==(const Report&) const = default;
};

}  // namespace attentune::simulator
