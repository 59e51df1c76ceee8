// attentune: the command. Exit codes: 0 done, 1 failed, 2 misuse.
#include <cstdlib>
#include <exception>
#include <new>

#include "generator/error.h"
#include "runtime/llvm/compiler.h"
#include "tools/attentune/arguments.h"
#include "tools/attentune/command.h"
#include "tools/attentune/edited_templates.h"
#include "tools/attentune/output.h"

namespace attentune {
namespace {

constexpr const char* out_of_memory = "out of memory; use a smaller batch or seq, or free memory";

int exit_code_of(const Error& error) {
  return error.status() == Status::refused || error.status() == Status::misuse ? 2 : 1;
}

int run_command(const Arguments& arguments) {
  try {
    if (!arguments.templates.empty())
      take_cuda_templates(arguments.templates);
    const int code = arguments.command->run(arguments);
    flush_output();
    return code;
  } catch (const Error& error) {
    complain(error.what());
    return exit_code_of(error);
  } catch (const std::bad_alloc&) {
    complain(out_of_memory);
    return 1;
  } catch (const std::exception& error) {
    complain(std::string(error.what()) + "; this is a bug in attentune, please report it with the command line");
    return 1;
  }
}

}  // namespace
}  // namespace attentune

int main(int argc, char** argv) {
  attentune::llvm_backend::on_out_of_memory([] {
    attentune::complain(attentune::out_of_memory);
    std::_Exit(1);
  });
  int exit_code = 0;
  const auto arguments = attentune::parse_arguments(argc, argv, &exit_code);
  return arguments ? attentune::run_command(*arguments) : exit_code;
}
