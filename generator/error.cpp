#include "generator/error.h"

#include <array>

#include <fmt/format.h>

namespace attentune {
namespace {

struct StatusRow {
  Status status;
  std::string_view name;
  std::string_view meaning;
};

constexpr std::array<StatusRow, 12> status_table{{
    {Status::ok, "ok", "The call succeeded."},
    {Status::refused, "refused",
     "The request is malformed, impossible or not served; the message names what would work."},
    {Status::miss, "miss", "No stored kernel serves the problem and the policy forbids compiling one."},
    {Status::compile_failed, "compile_failed", "A compiler rejected generated source; please report the message."},
    {Status::wrong, "wrong", "A kernel's result was over the error bound and is not used."},
    {Status::device_failed, "device_failed", "The device, its driver or a binary for it reported an error."},
    {Status::store_failed, "store_failed", "The store could not be opened, read or written."},
    {Status::out_of_memory, "out_of_memory", "Memory ran out; use a smaller problem or free some."},
    {Status::capturing, "capturing",
     "A kernel would have to be loaded or compiled inside a stream capture; get it before."},
    {Status::misuse, "misuse", "The interface was used against its rules: a null pointer or a struct of unknown size."},
    {Status::cancelled, "cancelled", "The work was cancelled; what was finished is kept."},
    {Status::internal, "internal", "A bug in attentune; please report the message."},
}};

const StatusRow& row(Status status) noexcept {
  for (const StatusRow& candidate : status_table) {
    if (candidate.status == status)
      return candidate;
  }
  return status_table.back();
}

}  // namespace

std::string_view name(Status status) noexcept { return row(status).name; }

std::string_view meaning(Status status) noexcept { return row(status).meaning; }

std::string Refusal::sentence() const {
  std::string text = value.empty() ? fmt::format("{} is refused: {}", field, limit)
                                   : fmt::format("{}={} is refused: {}", field, value, limit);
  if (!remedy.empty())
    text += "; " + remedy;
  return text;
}

}  // namespace attentune
