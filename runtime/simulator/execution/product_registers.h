// Which registers of a warp belong to wgmma operations under way, and which have been touched since the last
// wgmma.fence (PTX ISA 9.0, sections 9.7.15.7.1 and .3).
#pragma once

#include <cstdint>
#include <vector>

#include "runtime/simulator/state/register_file.h"

namespace attentune::simulator {

class ProductRegisters {
 public:
  explicit ProductRegisters(std::size_t registers = 0) : uses_(registers) {}

  void fence() noexcept { ++fences_; }
  [[nodiscard]] bool ever_fenced() const noexcept { return fences_ != 0; }

  // An instruction other than wgmma reads or writes it.
  void touch(const Slot& slot) noexcept { uses_[slot.number].touched = fences_; }
  [[nodiscard]] bool touched_since_fence(const Slot& slot) const noexcept {
    return uses_[slot.number].touched == fences_;
  }

  // A wgmma of `group` takes it; `shape`: of the accumulator it is part of, 0 for a part of A.
  void take(const Slot& slot, std::uint32_t group, std::uint32_t shape) noexcept {
    uses_[slot.number].group = group;
    uses_[slot.number].shape = shape;
  }
  [[nodiscard]] bool pending(const Slot& slot) const noexcept { return uses_[slot.number].group > completed_; }
  [[nodiscard]] std::uint32_t shape(const Slot& slot) const noexcept { return uses_[slot.number].shape; }

  // Groups up to this one are complete, as the warp knows.
  void complete(std::uint32_t group) noexcept { completed_ = group > completed_ ? group : completed_; }
  [[nodiscard]] std::uint32_t completed() const noexcept { return completed_; }

 private:
  struct Use {
    std::uint32_t touched = never;  // the fence before
    std::uint32_t group = 0;        // of the last wgmma
    std::uint32_t shape = 0;
  };
  static constexpr std::uint32_t never = ~std::uint32_t{0};

  std::vector<Use> uses_;  // by Slot::number
  std::uint32_t fences_ = 0;
  std::uint32_t completed_ = 0;
};

}  // namespace attentune::simulator
