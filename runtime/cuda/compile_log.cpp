#include "runtime/cuda/compile_log.h"

#include <algorithm>
#include <cctype>
#include <charconv>
#include <cstdint>

namespace attentune::cuda {
namespace {

// The number that stands before `words`, as in "Used 168 registers"; 0 when there is none.
int number_before(const std::string_view line, const std::string_view words) {
  const std::size_t end = line.find(words);
  if (end == std::string_view::npos || end == 0)
    return 0;
  std::size_t begin = end;
  while (begin > 0 && line[begin - 1] >= '0' && line[begin - 1] <= '9')
    --begin;
  int value = 0;
  std::from_chars(line.data() + begin, line.data() + end, value);
  return value;
}

// Does it hold "(C75dd)"?
bool has_performance_code(const std::string_view line) {
  const std::size_t at = line.find("(C75");
  return at != std::string_view::npos && line.size() > at + 6 && line[at + 6] == ')';
}

// Without the prefix "ptxas info    : ".
std::string message_of(const std::string_view line) {
  const std::size_t colon = line.find(": ");
  return std::string(colon == std::string_view::npos ? line : line.substr(colon + 2));
}

}  // namespace

CompileLog parse_compile_log(const std::string_view log) {
  CompileLog result;
  const auto raise = [](int& most, const int value) { most = std::max(most, value); };
  std::string_view rest = log;
  while (!rest.empty()) {
    const std::size_t end = std::min(rest.find('\n'), rest.size());
    const std::string_view line = rest.substr(0, end);
    rest.remove_prefix(std::min(end + 1, rest.size()));
    raise(result.registers, number_before(line, " registers"));
    raise(result.stack_bytes, number_before(line, " bytes stack frame"));
    const std::int64_t spills = std::int64_t{number_before(line, " bytes spill stores")} +
                                std::int64_t{number_before(line, " bytes spill loads")};
    raise(result.spill_bytes, static_cast<int>(std::min<std::int64_t>(spills, INT32_MAX)));
    raise(result.shared_bytes, number_before(line, " bytes smem"));
    raise(result.global_bytes, number_before(line, " bytes gmem"));
    const bool broken = has_performance_code(line);
    if (broken && result.broken_promise.empty())
      result.broken_promise = message_of(line);
    if (broken || line.find("warning") != std::string_view::npos)
      result.warnings.push_back(message_of(line));
  }
  return result;
}

}  // namespace attentune::cuda
