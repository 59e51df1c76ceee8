// Any bytes either parse, and then format and parse to the same array, or are refused.
#include <cstddef>
#include <cstdint>
#include <cstdlib>

#include "generator/error.h"
#include "runtime/npy.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  try {
    const attentune::NpyArray array = attentune::parse_npy({data, size}, "fuzz");
    if (attentune::parse_npy(attentune::format_npy(array), "fuzz") != array)
      std::abort();
  } catch (const attentune::RefusalError&) {
  }
  return 0;
}
