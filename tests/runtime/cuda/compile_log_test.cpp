#include "runtime/cuda/compile_log.h"

#include <doctest/doctest.h>

using namespace attentune::cuda;

TEST_CASE("a log of two kernels gives the larger numbers") {
  const CompileLog log = parse_compile_log(
      "ptxas info    : 32 bytes gmem\n"
      "ptxas info    : Compiling entry function 'a' for 'sm_90a'\n"
      "ptxas         .     96 bytes stack frame, 40 bytes spill stores, 24 bytes spill loads\n"
      "ptxas info    : Used 168 registers, used 1 barriers, 1152 bytes smem\n"
      "ptxas info    : Compiling entry function 'b' for 'sm_90a'\n"
      "ptxas         .     0 bytes stack frame, 0 bytes spill stores, 0 bytes spill loads\n"
      "ptxas info    : Used 32 registers, used 0 barriers\n");
  CHECK(log.registers == 168);
  CHECK(log.stack_bytes == 96);
  CHECK(log.spill_bytes == 64);
  CHECK(log.shared_bytes == 1152);
  CHECK(log.global_bytes == 32);
  CHECK(log.warnings.empty());
  CHECK(log.broken_promise.empty());
}

TEST_CASE("what ptxas did not keep is told, and warnings are kept") {
  const CompileLog log = parse_compile_log(
      "ptxas warning : Registers are spilled to local memory in function 'a'\n"
      "ptxas info    : (C7508) Potential Performance Loss: 'setmaxnreg' ignored; unable to determine register count at "
      "entry.\n"
      "ptxas info    : (C7510) Potential Performance Loss: wgmma.mma_async instructions are serialized");
  CHECK(log.broken_promise.starts_with("(C7508) Potential Performance Loss: 'setmaxnreg' ignored"));
  CHECK(log.warnings.size() == 3);
}

TEST_CASE("any text gives a value") {
  for (const char* const text : {"", "\n\n", " registers", "(C75", "(C7504", "99999999999999999999 registers",
                                 "4294967296 bytes spill stores, 2147483647 bytes spill loads"})
    CHECK_NOTHROW((void)parse_compile_log(text));
}
