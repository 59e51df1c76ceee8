// Bytes of forward_host's workspace, as templates/host/scratch.h lays it out.
#pragma once

#include <cstdint>

#include "generator/host_config.h"
#include "generator/problem.h"

namespace attentune::host {

// Columns of O kept per row, in floats.
[[nodiscard]] std::int64_t o_columns(const Problem& problem, const HostConfig& config);
// One packed key tile, K and V.
[[nodiscard]] std::int64_t packed_tile_bytes(const Problem& problem, const HostConfig& config);
// One worker's state of a row tile.
[[nodiscard]] std::int64_t scratch_bytes(const Problem& problem, const HostConfig& config);
// What one part of the keys leaves of one row.
[[nodiscard]] std::int64_t partial_row_bytes(const Problem& problem, const HostConfig& config);
// All packed tiles of a call (pack=whole); a double, as lengths have no bound here.
[[nodiscard]] double packed_bytes(const Problem& problem, const HostConfig& config);

}  // namespace attentune::host
