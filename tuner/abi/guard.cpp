#include "tuner/abi/guard.h"

#include <algorithm>
#include <array>
#include <cstring>
#include <string>

namespace attentune::abi {
namespace {

constexpr std::size_t most_letters = 4096;

// Plain bytes: no allocation on the way to an error, no destructor at thread exit.
char* sentence_of_thread() noexcept {
  thread_local std::array<char, most_letters> sentence{};
  return sentence.data();
}

}  // namespace

void set_last_error(const char* const sentence) noexcept {
  const std::size_t length = std::min(std::strlen(sentence), most_letters - 1);
  char* const kept = sentence_of_thread();
  // An old sentence may be handed back to us.
  std::memmove(kept, sentence, length);
  kept[length] = '\0';
}

const char* last_error() noexcept { return sentence_of_thread(); }

void refuse_null(const char* const name) {
  throw Error(Status::misuse, std::string("argument '") + name + "' is NULL; pass its address");
}

}  // namespace attentune::abi
