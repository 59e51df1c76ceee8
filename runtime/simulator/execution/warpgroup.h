// Warpgroup: four warps whose wgmma operations are one (PTX ISA 9.0, sections 9.7.15.1 and 9.7.15.7).
//
// An operation starts when all four have issued it. In eager mode it then happens at once, in lazy mode when the first
// of them waits for its group. A warp that waits for a group waits for the others to commit it.
#pragma once

#include <array>
#include <cstdint>
#include <deque>
#include <vector>

#include "runtime/simulator/execution/warp.h"
#include "runtime/simulator/numerics/fragment.h"
#include "runtime/simulator/numerics/wgmma.h"
#include "runtime/simulator/races/shadow.h"

namespace attentune::simulator {

inline constexpr std::uint32_t warps_per_group = 4;

struct ProductForm {
  numerics::WgmmaForm shape;
  numerics::MatrixType a = numerics::MatrixType::f16;
  numerics::MatrixType b = numerics::MatrixType::f16;
  bool a_in_registers = false;
  bool a_mn_major = false;
  bool b_mn_major = false;

  // Step::attribute.
  [[nodiscard]] std::uint32_t packed() const noexcept;
  [[nodiscard]] static ProductForm unpacked(std::uint32_t bits) noexcept;
};

struct Product {
  const Step* step = nullptr;
  std::uint32_t step_index = 0;
  std::uint64_t a = 0;  // descriptors
  std::uint64_t b = 0;
  bool scale_d = false;
  std::uint32_t group = 0;
  std::uint32_t issued = 0;  // bit w: by warp w
  bool done = false;
  std::vector<Access> sources;  // the writes that what it reads came from
};

class Warpgroup {
 public:
  void start(Block& block, std::uint32_t index);

  // All of `product` but group and issued is set. Stops the run where it differs from what the other warps issued.
  void issue(Warp& warp, Product product);
  void commit(Warp& warp);
  [[nodiscard]] std::uint32_t committed(const Warp& warp) noexcept { return progress(warp).committed; }
  // False: the warp waits until more has been committed.
  [[nodiscard]] bool wait(Warp& warp, std::uint32_t most);

  // Registers: setmaxnreg number `n` of a warp is the same step in all four.
  void set_registers(Warp& warp);
  // A warp leaves: what it issued must be complete, and the same as the others'.
  void check_exit(Warp& warp);

 private:
  struct Progress {
    std::uint64_t issued = 0;     // products
    std::uint32_t committed = 0;  // groups
    std::size_t register_changes = 0;
    bool exited = false;
  };
  [[nodiscard]] Progress& progress(const Warp& warp) noexcept { return progress_[warp.index() % warps_per_group]; }
  void check_whole(const Warp& warp) const;
  void execute(Product& product);

  Block* block_ = nullptr;
  std::uint32_t index_ = 0;
  std::array<Progress, warps_per_group> progress_;
  std::deque<Product> products_;                 // not complete or not issued by all
  std::uint64_t first_ = 0;                      // the number of the front one
  std::vector<std::uint32_t> register_changes_;  // steps
};

}  // namespace attentune::simulator
