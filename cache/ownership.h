// Whose file is it? A Store holds machine code that will run, so nobody else may be able to change it (DESIGN promise
// 8).
#pragma once

#include <optional>
#include <string>

namespace attentune {

// Nothing when the file at path (if there is one) and its directory belong to this user or root and nobody else may
// write them (a sticky directory such as /tmp passes), else a sentence with the command that remedies it.
[[nodiscard]] std::optional<std::string> unsafe_ownership(const std::string& path);

}  // namespace attentune
