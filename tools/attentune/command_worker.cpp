// attentune worker: the process `attentune tune` runs candidates in.
#include <sys/stat.h>

#include <csignal>

#include "generator/error.h"
#include "tools/attentune/command.h"
#include "tuner/worker.h"

namespace attentune {

int run_worker_command(const Arguments&) {
  struct stat status{};
  if (fstat(worker_descriptor, &status) != 0 || !S_ISSOCK(status.st_mode))
    throw Error(Status::misuse, "`attentune worker` is started by `attentune tune`; run that instead");
  // A terminal sends Ctrl-C to the whole process group; the tuner decides what becomes of its worker.
  std::signal(SIGINT, SIG_IGN);
  return run_worker(worker_descriptor);
}

}  // namespace attentune
