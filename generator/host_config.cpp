#include "generator/host_config.h"

#include <algorithm>
#include <vector>

#include <fmt/format.h>

#include "generator/error.h"
#include "generator/host_target.h"
#include "generator/text.h"

namespace attentune::host {
namespace {

Micro parse_micro(std::string_view text) {
  const std::size_t x = std::min(text.find('x'), text.size() - 1);
  const auto rows = parse_number<std::int64_t>(text.substr(0, x));
  const auto vectors = parse_number<std::int64_t>(text.substr(x + 1));
  if (!rows || !vectors)
    throw Error(Status::internal, fmt::format("micro={} is not ROWSxVECTORS", text));
  return {.rows = *rows, .vectors = *vectors};
}

template <typename Word, std::size_t N>
Word parse_word(std::string_view name, std::string_view text, const std::array<std::string_view, N>& words) {
  const auto found = std::find(words.begin(), words.end(), text);
  if (found == words.end())
    throw Error(Status::internal, fmt::format("{}={} is none of {}", name, text, fmt::join(words, " ")));
  return static_cast<Word>(found - words.begin());
}

}  // namespace

int products_of(int a, int b, int most) {
  int count = 0;
  for (int i = 0; i < a; ++i)
    count += std::min(b, most - i);
  return count;
}

std::int64_t qk_tail_tiles(const Problem& p, Product product) {
  const int products = products_of(terms_of(p.q, product), terms_of(p.k, product), qk_most);
  const std::int64_t tiles = ceil_div(p.head_dim_qk % 32 * products, 32);
  return tiles < products ? tiles : 0;
}

std::string to_text(Micro micro) { return fmt::format("{}x{}", micro.rows, micro.vectors); }

HostConfig HostConfig::of(const Config& config) {
  HostConfig result;
  for (const Choice& choice : config.choices()) {
    if (choice.name == "width")
      result.width = static_cast<int>(config.integer("width"));
    if (choice.name == "product")
      result.product = parse_word<Product>(choice.name, choice.value, product_words);
    if (choice.name == "micro")
      result.micro = parse_micro(choice.value);
    if (choice.name == "unroll")
      result.unroll = config.integer("unroll");
    if (choice.name == "tile_m")
      result.tile_m = config.integer("tile_m");
    if (choice.name == "tile_n")
      result.tile_n = config.integer("tile_n");
    if (choice.name == "pack")
      result.pack = parse_word<Pack>(choice.name, choice.value, pack_words);
  }
  return result;
}

const std::vector<Micro>& all_micros() {
  static const std::vector<Micro> micros{{1, 2}, {1, 3}, {1, 4}, {1, 6}, {1, 8},  {2, 1},  {2, 2},
                                         {2, 4}, {2, 8}, {3, 3}, {3, 4}, {3, 6},  {4, 1},  {4, 2},
                                         {4, 4}, {4, 6}, {5, 1}, {5, 4}, {6, 1},  {6, 2},  {6, 3},
                                         {6, 4}, {8, 2}, {8, 3}, {9, 3}, {12, 2}, {14, 2}, tile_micro};
  return micros;
}

std::int64_t live_registers(Micro micro, int width) {
  if (micro == tile_micro)
    return 8;
  const std::int64_t registers_a_vector = 512 / width;
  return (micro.rows * micro.vectors + (micro.rows > 1 ? micro.vectors : 0)) * registers_a_vector + 1;
}

// 8 sums hide the FMA latency (4 cycles, two instructions a cycle), and several rows use at least half the registers,
// because fewer sums only mean more loads a product.
bool is_worthwhile(Micro micro, Product product, const Arch& arch, int width) {
  if (product == Product::tile || micro == tile_micro)
    return product == Product::tile && micro == tile_micro;
  const std::int64_t live = live_registers(micro, width);
  const std::int64_t registers = vector_registers(arch, width);
  return live <= registers && micro.rows * micro.vectors * (512 / width) >= 8 &&
         (micro.rows == 1 || 2 * live > registers);
}

// For many rows as square as the registers allow, because a step loads rows + vectors operands for rows * vectors
// products; 6x4 of zmm, 6x1 of two ymm or four NEON registers, 2x1 of four xmm. Few rows (decode): the one of just as
// many that has the most sums, so that none is padding. Six vectors divide few head dims (4x6: 66 %).
Micro default_micro(const Arch& arch, std::int64_t rows) {
  const int width = vector_bits(arch);
  // Loads of a product instruction.
  const auto loads = [width](Micro m) {
    const std::int64_t registers_a_vector = 512 / width;
    return 1.0 / static_cast<double>(m.rows) + 1.0 / static_cast<double>(m.vectors * registers_a_vector);
  };
  Micro best{.rows = 0};
  for (const Micro micro : all_micros()) {
    if (!is_worthwhile(micro, Product::fma, arch, width) || micro.rows > 6 || micro.vectors == 6)
      continue;
    const std::int64_t padding = align_up(rows, micro.rows) - rows;
    const std::int64_t best_padding = best.rows == 0 ? 0 : align_up(rows, best.rows) - rows;
    const bool fewer = rows < 6 && padding != best_padding;
    if (best.rows == 0 || (fewer ? padding < best_padding : loads(micro) < loads(best)))
      best = micro;
  }
  return best;
}

// Every row block converts K and V again, which costs about a row and a half; padded rows cost as much as others.
Micro default_stream_micro(const Arch& arch, std::int64_t rows) {
  const int width = vector_bits(arch);
  const auto cost = [rows](Micro m) {
    const std::int64_t blocks = ceil_div(rows, m.rows);
    return static_cast<double>(blocks * m.rows) + 1.5 * static_cast<double>(blocks);
  };
  Micro best{.rows = 0};
  for (const Micro micro : all_micros()) {
    if (!streams(micro) || !is_worthwhile(micro, Product::fma, arch, width))
      continue;
    if (best.rows == 0 || cost(micro) < cost(best) || (cost(micro) == cost(best) && micro.vectors > best.vectors))
      best = micro;
  }
  return best;
}

std::int64_t row_count(const Problem& p) { return std::max<std::int64_t>(1, p.len_q * p.group()); }

}  // namespace attentune::host
