// The kernels of data/hopper_attention.py, run on random bf16 tensors and compared with f64.
#pragma once

#include <functional>
#include <string>
#include <string_view>

#include "runtime/simulator/simulator.h"

namespace attentune::simulator {

struct HopperAttention {
  int head_dim = 64;  // 64, 128, 256
  std::uint32_t len_q = 128;
  std::uint32_t len_kv = 256;
  std::uint32_t heads = 1;
  std::uint32_t batch = 1;
  Options options;

  [[nodiscard]] std::uint32_t tile_n() const noexcept {
    return head_dim == 256 ? 80U : static_cast<std::uint32_t>(head_dim);
  }
  [[nodiscard]] std::string ptx() const;  // the text

  // Runs `text` in place of ptx(), and returns the largest error of an output relative to the largest output.
  double run(std::string_view text) const;
  double run() const { return run(ptx()); }
};

// `text` with `from`, which must stand in it, replaced everywhere by `to`, or at occurrence `which`, from 0.
[[nodiscard]] std::string replaced(std::string text, std::string_view from, std::string_view to, int which = -1);

}  // namespace attentune::simulator
