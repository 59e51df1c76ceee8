// The registers of one warp, and a validity bit per lane and register.
// Predicates are masks; everything of at most 32 bits is a Words, everything of 64 a Wides.
#pragma once

#include <cstdint>
#include <vector>

#include "runtime/simulator/state/lanes.h"

namespace attentune::simulator {

enum class Bank : std::uint8_t { predicate, word, wide };

// Where an operand lives. Immediates and special registers are registers too, ones that are written when the warp
// starts and by nobody after.
struct Slot {
  std::uint32_t at = 0;      // in its bank
  std::uint32_t number = 0;  // in `written`
  Bank bank = Bank::word;
  bool negated = false;  // a predicate behind "!"
};

struct RegisterFile {
  std::vector<Mask> predicates;
  std::vector<Words> words;
  std::vector<Wides> wides;
  std::vector<Mask> written;  // one a register, of all banks

  [[nodiscard]] Mask predicate(const Slot& slot) const noexcept {
    return slot.negated ? ~predicates[slot.at] : predicates[slot.at];
  }
  void set_predicate(const Slot& slot, Mask lanes, Mask value) noexcept {
    predicates[slot.at] = (predicates[slot.at] & ~lanes) | (value & lanes);
  }
};

}  // namespace attentune::simulator
