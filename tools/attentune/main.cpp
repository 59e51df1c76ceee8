// attentune: the command. Exit codes: 0 done, 1 failed, 2 misuse.
#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <new>
#include <system_error>

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

// A file opened later would take the number of a standard stream that the caller closed, and get what is meant for it.
// What stands in for such a stream refuses what is asked of it, as the closed one did.
void occupy_standard_streams() {
  for (const int stream : {STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO})
    if (fcntl(stream, F_GETFD) < 0)
      (void)open("/dev/null", stream == STDIN_FILENO ? O_WRONLY : O_RDONLY);
}

int run_command(const Arguments& arguments) {
  if (!arguments.templates.empty())
    take_cuda_templates(arguments.templates);
  return arguments.command->run(arguments);
}

int run(int argc, const char* const* argv) {
  try {
    int code = 0;
    if (const auto arguments = parse_arguments(argc, argv, &code))
      code = run_command(*arguments);
    flush_output();
    return code;
  } catch (const Error& error) {
    complain(error.what());
    return exit_code_of(error);
  } catch (const std::bad_alloc&) {
    complain(out_of_memory);
    return 1;
  } catch (const std::system_error& error) {
    // fmt::print throws it when standard output cannot be written; else it is a thread that could not be started.
    complain(std::ferror(stdout) != 0 ? stdout_failure(error.code().value())
                                      : fmt::format("{}; stop other programs, or use fewer --threads", error.what()));
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
  attentune::occupy_standard_streams();
  // A file over the limit on sizes is a sentence, as a full disk is.
  std::signal(SIGXFSZ, SIG_IGN);
  return attentune::run(argc, argv);
}
