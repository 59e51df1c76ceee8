// Any bytes either are refused or parse to a value that prints and parses back to itself.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "generator/error.h"
#include "generator/expression.h"

namespace {

template <class Value>
void round_trip(Value (*parse)(std::string_view), std::string_view text) {
  try {
    const Value value = parse(text);
    const std::string printed = attentune::to_text(value);
    const Value again = parse(printed);
    if (!(again == value) || again.structure->root != value.structure->root)
      std::abort();
    if (attentune::to_text(again) != printed)
      std::abort();
  } catch (const attentune::RefusalError& error) {
    if (error.refusal().limit.empty() || error.refusal().remedy.empty())
      std::abort();
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string text(data, data + size);
  round_trip(&attentune::parse_mask, text);
  round_trip(&attentune::parse_score, text);
  return 0;
}
