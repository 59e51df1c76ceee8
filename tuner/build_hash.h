// What tells one build of attentune from another.
#pragma once

#include <string>

namespace attentune {

// 64 hex digits; the same in the library, the command and the tests of one build, and no clock or path in it.
[[nodiscard]] std::string build_hash();

}  // namespace attentune
