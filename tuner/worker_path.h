// Where the worker's executable is.
#pragma once

#include <string>

namespace attentune {

// The `attentune` of this installation: ../bin/attentune beside the library or executable this code stands in (or
// attentune beside it), then PATH; "" when there is none. `search_path` is the value of PATH.
[[nodiscard]] std::string find_worker(const std::string& search_path);
// One sentence for find_worker's "".
[[nodiscard]] std::string worker_absent_sentence();

}  // namespace attentune
