#include "generator/host_layout.h"

namespace attentune::host {
namespace {

std::int64_t step_elements(const HostConfig& config) { return config.product == Product::fma ? 1 : 2; }

// Floats of a row of Q or K in `terms` terms, with the tail in one row where that is shorter (templates/host/terms.h).
std::int64_t qk_floats(const Problem& p, const HostConfig& config, int terms) {
  const std::int64_t tail = qk_tail_tiles(p, config.product);
  const std::int64_t elements = tail == 0 ? p.head_dim_qk : p.head_dim_qk / 32 * 32;
  return align_up(ceil_div(elements, step_elements(config)), lanes) * terms + tail * lanes;
}

std::int64_t k_tile_bytes(const Problem& p, const HostConfig& config) {
  const std::int64_t columns = config.pack == Pack::none ? config.micro.vectors * lanes : config.tile_n;
  return 4 * columns * qk_floats(p, config, terms_of(p.k, config.product));
}

std::int64_t q_columns(const Problem& p, const HostConfig& config) {
  return config.pack == Pack::none && config.product != Product::tile
             ? align_up(p.head_dim_qk, 2 * lanes)
             : qk_floats(p, config, terms_of(p.q, config.product));
}

// Of S, and of P in its place.
std::int64_t s_columns(const Problem& p, const HostConfig& config) {
  return config.tile_n + (terms_of(p.v, config.product) == 3 ? config.tile_n / 2 : 0);
}

}  // namespace

std::int64_t o_columns(const Problem& p, const HostConfig& config) {
  const bool pairs = config.product == Product::tile || config.pack == Pack::none;
  return align_up(p.head_dim_v, pairs ? 2 * lanes : lanes);
}

std::int64_t packed_tile_bytes(const Problem& p, const HostConfig& config) {
  return k_tile_bytes(p, config) +
         4 * config.tile_n / step_elements(config) * o_columns(p, config) * terms_of(p.v, config.product);
}

// Q, S and O with rows one vector longer, l (16 partial sums a row), m, alpha, and what a task packs of one key tile.
std::int64_t scratch_bytes(const Problem& p, const HostConfig& config) {
  const std::int64_t rows =
      config.tile_m * (q_columns(p, config) + s_columns(p, config) + o_columns(p, config) + 4 * lanes);
  const bool streamed_tiles = config.pack == Pack::none && config.product == Product::tile;
  const std::int64_t keys = config.pack == Pack::task || streamed_tiles ? packed_tile_bytes(p, config)
                            : config.pack == Pack::k                    ? k_tile_bytes(p, config)
                                                                        : 0;
  return 4 * (rows + 2 * align_up(config.tile_m, lanes)) + keys;
}

std::int64_t partial_row_bytes(const Problem& p, const HostConfig& config) {
  return 4 * (o_columns(p, config) + lanes);
}

double packed_bytes(const Problem& p, const HostConfig& config) {
  return static_cast<double>(p.batch * p.heads_kv) * static_cast<double>(ceil_div(p.len_kv, config.tile_n)) *
         static_cast<double>(packed_tile_bytes(p, config));
}

}  // namespace attentune::host
