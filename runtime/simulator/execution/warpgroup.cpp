#include "runtime/simulator/execution/warpgroup.h"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include "runtime/simulator/execution/async_access.h"
#include "runtime/simulator/execution/block.h"
#include "runtime/simulator/execution/launch.h"
#include "runtime/simulator/execution/product.h"

namespace attentune::simulator {

void Warpgroup::start(Block& block, std::uint32_t index) {
  *this = {};
  block_ = &block;
  index_ = index;
}

void Warpgroup::check_whole(const Warp& warp) const {
  if (warps_per_group * (index_ + 1) > warp.launch().warps)
    warp.fail(FaultKind::divergence, warp.live(),
              fmt::format("the warpgroup has {} warps; it takes 4", warp.launch().warps - warps_per_group * index_));
  for (std::uint32_t w = 0; w < warps_per_group; ++w) {
    if (progress_[w].exited)
      warp.fail(FaultKind::divergence, warp.live(),
                fmt::format("{} is executed by whole warpgroups, and warp {} of this one has exited",
                            warp.launch().kernel.opcodes[warp.step_index()], warps_per_group * index_ + w));
  }
}

void Warpgroup::issue(Warp& warp, Product product) {
  Progress& mine = progress(warp);
  product.group = mine.committed + 1;
  const std::uint64_t number = mine.issued++;
  const std::uint32_t bit = 1U << warp.index() % warps_per_group;
  if (number == first_ + products_.size()) {
    check_whole(warp);
    check_operands(warp, product);
    products_.push_back(std::move(product));
  } else {
    const Product& first = products_[static_cast<std::size_t>(number - first_)];
    if (first.step != product.step || first.a != product.a || first.b != product.b ||
        first.scale_d != product.scale_d || first.group != product.group)
      warp.fail(FaultKind::divergence, warp.live(),
                fmt::format("this wgmma has the descriptors {:#x} and {:#x}, and another warp of the warpgroup issued "
                            "one at PTX line {} with {:#x} and {:#x} in its place",
                            product.a, product.b, warp.launch().kernel.lines[first.step_index], first.a, first.b));
    for (const Access& source : first.sources) {
      if (!warp.clock.knows(source.epoch))
        warp.fail(
            FaultKind::race, warp.live(),
            fmt::format("a wgmma reads shared memory whose writer this warp has not heard of, though another warp "
                        "of its warpgroup has (written at PTX line {})",
                        warp.launch().kernel.lines[static_cast<std::size_t>(source.step)]));
      check_proxy(warp, source, product_access(warp, product.group, index_), 0);
    }
  }
  Product& shared = products_[static_cast<std::size_t>(number - first_)];
  shared.issued |= bit;
  if (shared.issued == 0xF && warp.launch().options.asynchrony == Asynchrony::eager)
    execute(shared);
  while (!products_.empty() && products_.front().done && products_.front().issued == 0xF) {
    products_.pop_front();
    ++first_;
  }
}

void Warpgroup::execute(Product& product) {
  std::array<Warp*, warps_per_group> warps{};
  for (std::uint32_t w = 0; w < warps_per_group; ++w)
    warps[w] = &block_->warp(warps_per_group * index_ + w);
  multiply(warps, product);
  product.done = true;
}

void Warpgroup::commit(Warp& warp) {
  ++progress(warp).committed;
  block_->release(PathState::warpgroup, index_);
}

bool Warpgroup::wait(Warp& warp, std::uint32_t most) {
  const std::uint32_t committed = progress(warp).committed;
  const std::uint32_t through = committed > most ? committed - most : 0;
  if (through <= warp.product_registers.completed())
    return true;
  const bool all = std::ranges::all_of(progress_, [&](const Progress& one) { return one.committed >= through; });
  if (!all)
    return false;
  for (Product& product : products_) {
    if (product.group <= through && !product.done)
      execute(product);
  }
  while (!products_.empty() && products_.front().done && products_.front().issued == 0xF) {
    products_.pop_front();
    ++first_;
  }
  warp.product_registers.complete(through);
  if (warp.launch().options.races)
    warp.clock.learn(product_access(warp, through, index_).epoch);
  return true;
}

void Warpgroup::set_registers(Warp& warp) {
  const std::size_t number = progress(warp).register_changes++;
  if (number == register_changes_.size()) {
    check_whole(warp);
    register_changes_.push_back(warp.step_index());
  }
  if (register_changes_[number] != warp.step_index())
    warp.fail(FaultKind::divergence, warp.live(),
              fmt::format("another warp of the warpgroup executed the setmaxnreg at PTX line {} instead",
                          warp.launch().kernel.lines[register_changes_[number]]));
}

void Warpgroup::check_exit(Warp& warp) {
  Progress& mine = progress(warp);
  mine.exited = true;
  const bool under_way = std::ranges::any_of(products_, [&](const Product& product) {
    return (product.issued >> warp.index() % warps_per_group & 1) != 0 &&
           product.group > warp.product_registers.completed();
  });
  if (under_way)
    warp.fail(FaultKind::barrier, warp.live(), "the warp exits and has not waited for its wgmma operations");
  if (mine.issued < first_ + products_.size())
    warp.fail(
        FaultKind::divergence, warp.live(),
        fmt::format("the warp exits, and other warps of its warpgroup issued a wgmma (PTX line {}) that it did not",
                    warp.launch().kernel.lines[products_.back().step_index]));
  if (mine.register_changes < register_changes_.size())
    warp.fail(
        FaultKind::divergence, warp.live(),
        fmt::format("the warp exits, and other warps of its warpgroup executed a setmaxnreg (PTX line {}) that it "
                    "did not",
                    warp.launch().kernel.lines[register_changes_.back()]));
}

}  // namespace attentune::simulator
