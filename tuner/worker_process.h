// WorkerProcess: the tuner's side of a worker. Spawned, never forked; asked with a deadline; after a crash or a hang it
// is killed, reaped and, with the next request, started again. A tune that is cancelled kills it at once.
#pragma once

#include <sys/types.h>

#include <atomic>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "generator/measurement.h"
#include "tuner/protocol.h"

namespace attentune {

// A reply, or what became of the worker instead.
struct Answer {
  std::optional<Reply> reply;
  Outcome failure = Outcome::faulted;  // faulted or timed_out, when there is no reply
  std::string detail;                  // "signal 11 (SIGSEGV) while measuring"
};

class WorkerProcess {
 public:
  // Starts nothing yet. `build` is what the worker's Hello must say; `cancelled` may be null.
  WorkerProcess(std::string path, PrepareRequest prepare, std::string build,
                const std::atomic<bool>* cancelled = nullptr);
  ~WorkerProcess();
  WorkerProcess(const WorkerProcess&) = delete;
  WorkerProcess& operator=(const WorkerProcess&) = delete;

  // Starts the worker if none runs and has it prepare the problem. Throws Error(device_failed) when it cannot be
  // started, belongs to another build, or cannot open the device; the sentence says which. Throws Error(cancelled), as
  // ask() does, within a tenth of a second of the flag; then none runs any more.
  void start();
  // start(), then one request. `doing` ends the sentence of a failure: "measuring".
  [[nodiscard]] Answer ask(const Request& request, double deadline_s, std::string_view doing);
  // Ends the process, so that whatever a Candidate did to its memory is gone.
  void stop() noexcept;

  // -1 when none runs.
  [[nodiscard]] pid_t process() const noexcept { return process_; }
  // to_text(DeviceIdentity) as the worker saw it; valid after start().
  [[nodiscard]] const std::string& device() const noexcept { return device_; }
  [[nodiscard]] std::uint64_t starts() const noexcept { return starts_; }

 private:
  void spawn();
  [[nodiscard]] Answer exchange(const Request& request, double deadline_s, std::string_view doing);
  // Kills if need be and waits; what ended it, for a sentence: "signal 11 (SIGSEGV)".
  std::string reap(bool kill_first) noexcept;

  std::string path_;
  PrepareRequest prepare_;
  std::string build_;
  const std::atomic<bool>* cancelled_;
  std::string device_;
  pid_t process_ = -1;
  int descriptor_ = -1;
  std::uint64_t starts_ = 0;
};

}  // namespace attentune
