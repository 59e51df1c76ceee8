// Any text is a number or an error within the text.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>

#include "templates/launch.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* const data, const std::size_t size) {
  const std::string text(reinterpret_cast<const char*>(data), size);
  constexpr AttentuneScalar scalars[] = {{"len_q", 4096},  {"a", -1},   {"b", INT64_MAX},
                                         {"c", INT64_MIN}, {"zero", 0}, {"workers", 7}};
  std::int64_t value = 0;
  const int error = attentune_evaluate(text.c_str(), scalars, 6, &value);
  const std::size_t length = text.find('\0') == std::string::npos ? size : text.find('\0');
  if (error < 0 || (error > 0 && static_cast<std::size_t>(error) > length + 1)) {
    std::abort();
  }
  const AttentuneSliceText slice{"slice", text.c_str(), static_cast<int>(size % 2)};
  const AttentuneLaunchText rule{.entry = "main",
                                 .grid = {text.c_str(), "1", "1"},
                                 .block = {"1", "1", "1"},
                                 .cluster = {"1", "1", "1"},
                                 .shared_bytes = "0",
                                 .slices = &slice,
                                 .slice_count = 1,
                                 .depends_on_previous = 0};
  AttentunePreparedCall call{};
  const int refused = attentune_prepare(&rule, 1, scalars, 6, 64, &call);
  if (refused == 0 && (call.workspace_bytes < 0 || call.workspace_bytes % 64 != 0)) {
    std::abort();
  }
  return 0;
}
