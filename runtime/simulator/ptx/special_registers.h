// The special registers of PTX ISA 9.0, section 10.
#pragma once

#include <string_view>

namespace attentune::ptx {

// "%laneid", "%tid.x", "%cluster_ctaid.z"; whether the simulator serves one is decided where it is read.
[[nodiscard]] bool is_special_register(std::string_view name) noexcept;

}  // namespace attentune::ptx
