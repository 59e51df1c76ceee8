// The wall between C callers and exceptions: everything thrown becomes a status and this thread's last error.
#pragma once

#include <exception>
#include <new>

#include "generator/error.h"
#include "tuner/abi/attentune.h"

namespace attentune::abi {

// Keeps the sentence for this thread, cut to what fits: memory may be what ran out.
void set_last_error(const char* sentence) noexcept;
[[nodiscard]] const char* last_error() noexcept;

inline attentune_status fail(const Status status, const char* const sentence) noexcept {
  set_last_error(sentence);
  return static_cast<attentune_status>(status);
}

template <typename Work>
attentune_status guarded(const Work& work) noexcept {
  try {
    work();
    return ATTENTUNE_OK;
  } catch (const Error& error) {
    return fail(error.status(), error.what());
  } catch (const std::bad_alloc&) {
    return fail(Status::out_of_memory, "memory ran out; free some or use a smaller problem");
  } catch (const std::exception& error) {
    return fail(Status::internal, error.what());
  } catch (...) {
    return fail(Status::internal, "an unknown exception was thrown");
  }
}

// Throws Error(misuse) naming the argument.
[[noreturn]] void refuse_null(const char* name);

template <typename Object>
void need(Object* const pointer, const char* const name) {
  if (pointer == nullptr) {
    refuse_null(name);
  }
}

}  // namespace attentune::abi
