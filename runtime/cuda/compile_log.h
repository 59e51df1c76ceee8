// CompileLog: what ptxas says about a program under -v, as numbers.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace attentune::cuda {

// Each number is the largest of the program's entries; bytes are per thread, but shared memory's are per block.
struct CompileLog {
  int registers = 0;  // at entry: setmaxnreg changes them later
  int stack_bytes = 0;
  int spill_bytes = 0;   // stored and loaded
  int shared_bytes = 0;  // static only
  int global_bytes = 0;  // of the program: namespace-scope variables
  std::vector<std::string> warnings;
  // The first line in which ptxas says that it did not keep what the program asked for: codes C7504 to C7520, such as
  // an ignored setmaxnreg or serialized wgmma. "" when there is none. Such code is right but never worth its time.
  std::string broken_promise;
};

// Total: any text gives a value.
[[nodiscard]] CompileLog parse_compile_log(std::string_view log);

}  // namespace attentune::cuda
