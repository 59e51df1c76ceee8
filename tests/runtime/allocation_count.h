// Counts this thread's calls of operator new, for tests that promise none.
#pragma once

#include <cstdint>

namespace attentune::test {

[[nodiscard]] std::uint64_t allocations_of_thread() noexcept;

}  // namespace attentune::test
