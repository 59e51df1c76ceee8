// What can go wrong, as values: Status names the kind, Refusal says field, value, limit and remedy.
// Inside the project failures are thrown as attentune::Error; the C ABI turns them into status codes.
#pragma once

#include <stdexcept>
#include <string>
#include <string_view>

namespace attentune {

// One row a kind in the table of error.cpp; the numbers are the C ABI's and never change meaning.
enum class Status : int {
  ok = 0,
  refused = 1,         // the request itself: an unknown field, an impossible or unserved problem
  miss = 2,            // nothing stored serves it and the policy forbids compiling
  compile_failed = 3,  // a compiler rejected a Source
  wrong = 4,           // a result was over the error bound
  device_failed = 5,   // the device or its driver reported an error
  store_failed = 6,    // the Store cannot be opened, read or written
  out_of_memory = 7,
  capturing = 8,  // a load or compile would have been needed inside a stream capture
  misuse = 9,     // the caller broke the interface: a null pointer, a struct of unknown size
  cancelled = 10,
  internal = 11,  // a bug in attentune
};

// The status's name ("refused") and a one-sentence meaning.
[[nodiscard]] std::string_view name(Status status) noexcept;
[[nodiscard]] std::string_view meaning(Status status) noexcept;

// why and, where there is one, the next step: "<what went wrong>; <what to do>".
class Error : public std::runtime_error {
 public:
  Error(Status status, const std::string& sentence) : std::runtime_error(sentence), status_(status) {}
  [[nodiscard]] Status status() const noexcept { return status_; }

 private:
  Status status_;
};

// Why a request cannot be served and what would work.
struct Refusal {
  std::string field;   // "heads"
  std::string value;   // "32/5"
  std::string limit;   // "heads_q must be a whole multiple of heads_kv"
  std::string remedy;  // "use heads=32/4 or heads=30/5"

  // "heads=32/5 is refused: heads_q must be a whole multiple of heads_kv; use heads=32/4"
  [[nodiscard]] std::string sentence() const;
  bool operator==(const Refusal&) const = default;
};

// A Refusal on its way up.
class RefusalError : public Error {
 public:
  explicit RefusalError(Refusal refusal) : Error(Status::refused, refusal.sentence()), refusal_(std::move(refusal)) {}
  [[nodiscard]] const Refusal& refusal() const noexcept { return refusal_; }

 private:
  Refusal refusal_;
};

}  // namespace attentune
