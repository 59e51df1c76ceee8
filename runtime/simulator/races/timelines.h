// Which timelines a block has, by local number: who may be ahead of whom inside it.
#pragma once

#include <cstdint>

namespace attentune::simulator {

// The most mbarriers of one block that bulk copies may signal.
inline constexpr std::uint32_t tracked_mbarriers = 64;

// A timeline of a warp is in the generic proxy. Each of those has a twin: "the accesses up to this moment stand before
// a fence.proxy.async". Joins of vector clocks pass the twins on like everything else, so a fence counts wherever it
// stands on the way from the access to the asynchronous one (PTX ISA 9.0, sections 8.4.3 and 9.7.13.4).
struct Timelines {
  enum class Kind : std::uint8_t { warp, copies, twin, products, bulk_reads, bulk_writes, mbarrier };

  std::uint32_t warps = 0;
  bool async_proxy = false;  // without, only those of warps and of cp.async are there

  [[nodiscard]] constexpr std::uint32_t generic() const noexcept { return 2 * warps; }
  [[nodiscard]] constexpr std::uint32_t warpgroups() const noexcept { return (warps + 3) / 4; }

  [[nodiscard]] constexpr std::uint32_t warp(std::uint32_t index) const noexcept { return index; }
  [[nodiscard]] constexpr std::uint32_t copies(std::uint32_t index) const noexcept { return warps + index; }
  [[nodiscard]] constexpr std::uint32_t twin(std::uint32_t generic_one) const noexcept {
    return generic() + generic_one;
  }
  [[nodiscard]] constexpr std::uint32_t products(std::uint32_t warpgroup) const noexcept {
    return 2 * generic() + warpgroup;
  }
  [[nodiscard]] constexpr std::uint32_t bulk_reads(std::uint32_t index) const noexcept {
    return products(warpgroups()) + index;
  }
  [[nodiscard]] constexpr std::uint32_t bulk_writes(std::uint32_t index) const noexcept {
    return bulk_reads(warps) + index;
  }
  [[nodiscard]] constexpr std::uint32_t mbarrier(std::uint32_t index) const noexcept {
    return bulk_writes(warps) + index;
  }
  [[nodiscard]] constexpr std::uint32_t count() const noexcept {
    return async_proxy ? mbarrier(tracked_mbarriers) : generic();
  }

  [[nodiscard]] constexpr Kind kind(std::uint32_t local) const noexcept {
    if (local < generic())
      return local < warps ? Kind::warp : Kind::copies;
    if (local < products(0))
      return Kind::twin;
    if (local < bulk_reads(0))
      return Kind::products;
    return local < bulk_writes(0) ? Kind::bulk_reads : local < mbarrier(0) ? Kind::bulk_writes : Kind::mbarrier;
  }
};

}  // namespace attentune::simulator
