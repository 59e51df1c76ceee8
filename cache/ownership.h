// Whose file is it? A Store holds machine code that will run, so nobody else may be able to change it (DESIGN promise
// 8).
#pragma once

#include <optional>
#include <string>

namespace attentune {

// Nothing when the Store at path and what stands beside it (write-ahead log, journal, shared memory, lock; each where
// there is one) are regular files of this user or root, in a directory of this user or root, and nobody else may write
// any of them; else a sentence with the command that remedies it. A directory open to everybody does not pass for being
// sticky (/tmp): another user could begin a log there, which SQLite would replay into the Store.
// path: absolute and without symbolic links.
[[nodiscard]] std::optional<std::string> unsafe_ownership(const std::string& path);

}  // namespace attentune
