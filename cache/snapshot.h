// Snapshot: a copy in memory of a Store that may not be opened where it stands. Private to cache/.
#pragma once

#include <functional>
#include <string>

#include "cache/sqlite.h"

namespace attentune {

// Takes no lock and writes nothing beside the file. `inspect` sees the file's own connection first and may throw.
// Throws SqliteError when the copy does not read as a whole database, as can happen while another machine writes the
// file.
[[nodiscard]] Connection snapshot_of(const std::string& path, const std::function<void(const Connection&)>& inspect);

}  // namespace attentune
