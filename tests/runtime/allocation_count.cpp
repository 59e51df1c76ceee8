#include "tests/runtime/allocation_count.h"

#include <cstddef>
#include <cstdlib>
#include <new>

#include "tests/sanitizers.h"

namespace {
thread_local std::uint64_t allocations = 0;

// Sanitizers bring operators of their own, and one program cannot have both: there the count stands still.
#ifndef ATTENTUNE_SANITIZED
void* counted(const std::size_t size) {
  ++allocations;
  void* const memory = std::malloc(size == 0 ? 1 : size);
  if (memory == nullptr) {
    throw std::bad_alloc();
  }
  return memory;
}
#endif
}  // namespace

namespace attentune::test {
std::uint64_t allocations_of_thread() noexcept { return allocations; }
}  // namespace attentune::test

#ifndef ATTENTUNE_SANITIZED
void* operator new(const std::size_t size) { return counted(size); }
void* operator new[](const std::size_t size) { return counted(size); }
void operator delete(void* const memory) noexcept { std::free(memory); }
void operator delete[](void* const memory) noexcept { std::free(memory); }
void operator delete(void* const memory, std::size_t) noexcept { std::free(memory); }
void operator delete[](void* const memory, std::size_t) noexcept { std::free(memory); }
#endif
