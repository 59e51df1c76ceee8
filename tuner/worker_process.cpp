#include "tuner/worker_process.h"

#include <fcntl.h>
#include <poll.h>
#include <spawn.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <csignal>
#include <cstring>
#include <exception>
#include <utility>

#include "generator/error.h"
#include "tuner/worker.h"

namespace attentune {

namespace {

constexpr double hello_seconds = 20;    // a loaded machine may take long to start a process
constexpr double prepare_seconds = 60;  // opens a device; references are made with the first verification
constexpr int reap_milliseconds = 2000;

// posix_spawn's two attribute objects, destroyed on every path.
struct SpawnPlan {
  posix_spawn_file_actions_t actions{};
  posix_spawnattr_t attributes{};
  SpawnPlan() {
    posix_spawn_file_actions_init(&actions);
    posix_spawnattr_init(&attributes);
  }
  ~SpawnPlan() {
    posix_spawnattr_destroy(&attributes);
    posix_spawn_file_actions_destroy(&actions);
  }
  SpawnPlan(const SpawnPlan&) = delete;
  SpawnPlan& operator=(const SpawnPlan&) = delete;
};

std::string ending_of(const int status) {
  if (WIFSIGNALED(status)) {
    const int number = WTERMSIG(status);
    const char* const abbreviation = sigabbrev_np(number);
    return "signal " + std::to_string(number) +
           (abbreviation != nullptr ? " (SIG" + std::string(abbreviation) + ")" : std::string());
  }
  return "exit status " + std::to_string(WIFEXITED(status) ? WEXITSTATUS(status) : -1);
}

[[noreturn]] void cannot_start(const std::string& path, const std::string& why) {
  throw Error(Status::device_failed,
              "the tuning worker " + path + " cannot be used: " + why + "; install the command of this build");
}

}  // namespace

WorkerProcess::WorkerProcess(std::string path, PrepareRequest prepare, std::string build,
                             const std::atomic<bool>* const cancelled)
    : path_(std::move(path)), prepare_(std::move(prepare)), build_(std::move(build)), cancelled_(cancelled) {}

WorkerProcess::~WorkerProcess() { stop(); }

void WorkerProcess::spawn() {
  std::array<int, 2> ends{-1, -1};
  if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends.data()) != 0) {
    cannot_start(path_, std::strerror(errno));
  }
  SpawnPlan plan;
  // The worker gets standard streams and its one descriptor; nothing else of the caller's process, marked or not.
  posix_spawn_file_actions_adddup2(&plan.actions, ends[1], worker_descriptor);
  posix_spawn_file_actions_addclosefrom_np(&plan.actions, worker_descriptor + 1);
  // Its own process group, so that Ctrl-C reaches the tuner alone, which ends its worker when it has noticed; signals
  // as at birth, since the caller may block or ignore some.
  sigset_t none;
  sigset_t all;
  sigemptyset(&none);
  sigfillset(&all);
  posix_spawnattr_setsigmask(&plan.attributes, &none);
  posix_spawnattr_setsigdefault(&plan.attributes, &all);
  posix_spawnattr_setpgroup(&plan.attributes, 0);
  posix_spawnattr_setflags(&plan.attributes, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETPGROUP);
  std::string name = "attentune";
  std::string command = "worker";
  std::array<char*, 3> arguments{name.data(), command.data(), nullptr};
  const int failure = posix_spawn(&process_, path_.c_str(), &plan.actions, &plan.attributes, arguments.data(), environ);
  close(ends[1]);
  if (failure != 0) {
    close(ends[0]);
    process_ = -1;
    cannot_start(path_, std::strerror(failure));
  }
  descriptor_ = ends[0];
  ++starts_;
}

void WorkerProcess::start() {
  if (process_ >= 0) {
    return;
  }
  spawn();
  const Hello own{.protocol = protocol_version, .build = build_};
  const Answer greeting = exchange(own, hello_seconds, "starting");
  if (!greeting.reply) {
    cannot_start(path_, greeting.detail);
  }
  const auto* const hello = std::get_if<Hello>(&*greeting.reply);
  const std::string foreign = hello != nullptr ? why_foreign(*hello, own) : "it does not greet";
  if (!foreign.empty()) {
    stop();
    cannot_start(path_, foreign);
  }
  const Answer prepared = exchange(prepare_, prepare_seconds, "opening the device");
  if (!prepared.reply) {
    throw Error(Status::device_failed, "the tuning worker ended: " + prepared.detail);
  }
  if (const auto* const failed = std::get_if<Failed>(&*prepared.reply)) {
    const std::string sentence = failed->sentence;
    stop();
    throw Error(Status::device_failed, "the tuning worker cannot serve this: " + sentence);
  }
  const auto* const ready = std::get_if<Prepared>(&*prepared.reply);
  if (ready == nullptr) {
    stop();
    throw Error(Status::internal, "the tuning worker answered with something else than was asked");
  }
  device_ = ready->device;
}

Answer WorkerProcess::ask(const Request& request, const double deadline_s, const std::string_view doing) {
  start();
  return exchange(request, deadline_s, doing);
}

Answer WorkerProcess::exchange(const Request& request, const double deadline_s, const std::string_view doing) {
  const auto failed = [&](const Outcome outcome, const std::string& what) {
    return Answer{.reply = {}, .failure = outcome, .detail = what + " while " + std::string(doing)};
  };
  const auto no_answer = [&] {
    std::string seconds = std::to_string(deadline_s);
    seconds.resize(seconds.find('.') + 2);
    reap(true);
    return failed(Outcome::timed_out, "no answer within " + seconds + " s");
  };
  FrameRead read{.transfer = write_frame(descriptor_, to_frame(request), deadline_s, cancelled_)};
  if (read.transfer == Transfer::done) {
    read = read_frame(descriptor_, deadline_s, cancelled_);
  } else if (read.transfer == Transfer::failed) {
    // A worker that died before it had read everything still says how by its exit status.
    read.transfer = Transfer::end;
  }
  switch (read.transfer) {
    case Transfer::cancelled:
      reap(true);
      throw Error(Status::cancelled, "cancelled while " + std::string(doing));
    case Transfer::timed_out:
      return no_answer();
    case Transfer::end:
      return failed(Outcome::faulted, reap(false));
    case Transfer::failed:
      reap(true);
      return failed(Outcome::faulted, "a broken answer (" + read.reason + ")");
    case Transfer::done:
      break;
  }
  try {
    return {.reply = parse_reply(read.frame), .failure = Outcome::ok, .detail = {}};
  } catch (const RefusalError& error) {
    // A candidate that scribbled over the worker's own memory.
    reap(true);
    return failed(Outcome::faulted, std::string("a broken answer (") + error.what() + ")");
  }
}

std::string WorkerProcess::reap(const bool kill_first) noexcept {
  if (process_ < 0) {
    return "its end";
  }
  close(std::exchange(descriptor_, -1));
  const pid_t process = std::exchange(process_, -1);
  if (kill_first) {
    kill(process, SIGKILL);
  }
  // It has closed its end, so it is ending; one that only closed the descriptor is helped along.
  int status = 0;
  for (int waited = 0;; ++waited) {
    const pid_t ended = waitpid(process, &status, WNOHANG);
    if (ended == process) {
      return ending_of(status);
    }
    if (ended < 0 && errno != EINTR) {
      return "an end that another part of this process has seen";  // the caller's program reaps every child
    }
    if (waited == reap_milliseconds) {
      kill(process, SIGKILL);
    }
    poll(nullptr, 0, 1);
  }
}

void WorkerProcess::stop() noexcept { reap(true); }

}  // namespace attentune
