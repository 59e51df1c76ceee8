// Any bytes are a cubin or are refused, and are never read past their end.
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "generator/error.h"
#include "runtime/cuda/compile_log.h"
#include "runtime/cuda/cubin.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  try {
    (void)attentune::cuda::read_cubin({data, size});
  } catch (const attentune::Error&) {
  }
  (void)attentune::cuda::parse_compile_log({reinterpret_cast<const char*>(data), size});
  return 0;
}
