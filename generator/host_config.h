// A Config of forward_host as numbers, and the micro-kernels its space offers.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "generator/arch.h"
#include "generator/config.h"
#include "generator/problem.h"

namespace attentune::host {

constexpr std::int64_t lanes = 16;  // of the template's one vector type

constexpr std::int64_t ceil_div(std::int64_t a, std::int64_t b) { return (a + b - 1) / b; }
constexpr std::int64_t align_up(std::int64_t value, std::int64_t unit) { return ceil_div(value, unit) * unit; }

// As in templates/host/constants.h; the words are those of a Config.
enum class Pack : std::uint8_t { task, k, whole, none };
constexpr std::array<std::string_view, 4> pack_words{"task", "k", "whole", "none"};
enum class Product : std::uint8_t { fma, dot, tile };
constexpr std::array<std::string_view, 3> product_words{"fma", "dot", "tile"};

// The bf16 that a number is taken apart into where the product takes nothing else (templates/host/terms.h).
constexpr int terms_of(Dtype dtype, Product product) {
  return product != Product::tile || dtype == Dtype::bf16 ? 1 : dtype == Dtype::f16 ? 2 : 3;
}

// Products of terms i of A and j of B that count, i + j < most; and the `most` of S.
constexpr int qk_most = 3;
[[nodiscard]] int products_of(int a, int b, int most);
// Tiles of depth for what of d_qk is past the last 32, where all its products stand in one row; 0 where they do not.
[[nodiscard]] std::int64_t qk_tail_tiles(const Problem& problem, Product product);

// Rows and vectors of sums a micro-kernel keeps in registers; pack=none: rows and keys.
struct Micro {
  std::int64_t rows = 1, vectors = 1;
  bool operator==(const Micro&) const = default;
};
[[nodiscard]] std::string to_text(Micro micro);

struct HostConfig {
  int width = 0;  // bits of the vectors LLVM may use
  Product product = Product::fma;
  Micro micro;
  std::int64_t unroll = 1;
  std::int64_t tile_m = 0, tile_n = 0;
  Pack pack = Pack::task;

  // The choices made so far; those of a prefix that are missing keep their defaults.
  static HostConfig of(const Config& config);
};

// Two AMX tiles by two.
constexpr Micro tile_micro{.rows = 32, .vectors = 2};
// Every micro-kernel some host may want.
[[nodiscard]] const std::vector<Micro>& all_micros();
// Registers of the inner loop: every sum, one row of B (one sum row can take B from memory), one broadcast of A.
[[nodiscard]] std::int64_t live_registers(Micro micro, int width);
// Fits the registers and can win.
[[nodiscard]] bool is_worthwhile(Micro micro, Product product, const Arch& arch, int width);
// Can pack=none use it? It takes blocks of two vectors, and 16 keys at a time.
constexpr bool streams(Micro micro) { return micro.vectors == 2 || micro.vectors == 4 || micro.vectors == 8; }
// The best for many rows, or for just so many where they are few; and for pack=none.
[[nodiscard]] Micro default_micro(const Arch& arch, std::int64_t rows);
[[nodiscard]] Micro default_stream_micro(const Arch& arch, std::int64_t rows);

// Query rows a KV head serves: len_q times the group.
[[nodiscard]] std::int64_t row_count(const Problem& problem);

}  // namespace attentune::host
