#include "tuner/worker.h"

#include <sys/prctl.h>
#include <sys/resource.h>

#include <csignal>
#include <exception>
#include <variant>

#include "generator/error.h"
#include "tuner/build_hash.h"
#include "tuner/frame.h"
#include "tuner/protocol.h"
#include "tuner/worker_session.h"

namespace attentune {

namespace {

constexpr double write_seconds = 60;

// False when the tuner is gone.
bool answer(const int descriptor, const Reply& reply) {
  return write_frame(descriptor, to_frame(reply), write_seconds) == Transfer::done;
}

struct Dispatch {
  WorkerSession& session;
  Reply operator()(const PrepareRequest& request) const { return session.prepare(request); }
  Reply operator()(const VerifyRequest& request) const { return session.verify(request); }
  Reply operator()(const MeasureRequest& request) const { return session.measure(request); }
  Reply operator()(const RaceRequest& request) const { return session.race(request); }
  Reply operator()(const auto&) const {
    return Failed{.outcome = Outcome::refused, .sentence = "this request does not belong here"};
  }
};

int serve(const int descriptor) {
  const Hello own{.protocol = protocol_version, .build = build_hash()};
  WorkerSession session;
  bool greeted = false;
  for (;;) {
    FrameRead read = read_frame(descriptor, -1);
    if (read.transfer == Transfer::end) {
      return 0;
    }
    if (read.transfer != Transfer::done) {
      return 1;
    }
    const Request request = parse_request(read.frame);
    if (std::holds_alternative<ShutdownRequest>(request)) {
      return 0;
    }
    if (const auto* hello = std::get_if<Hello>(&request)) {
      // Told even to a foreign tuner, which then knows what it found; nothing else is answered to one.
      greeted = why_foreign(*hello, own).empty();
      if (!answer(descriptor, own) || !greeted) {
        return greeted ? 0 : 1;
      }
      continue;
    }
    if (!greeted) {
      return 1;
    }
    if (!answer(descriptor, std::visit(Dispatch{session}, request))) {
      return 0;
    }
  }
}

}  // namespace

int run_worker(const int descriptor) {
  // A hanging candidate never reads the descriptor again, so its end alone would not stop this process.
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  // A crash is an expected answer here: no core file, which can take longer than the request's deadline.
  const rlimit none{.rlim_cur = 0, .rlim_max = 0};
  setrlimit(RLIMIT_CORE, &none);
  try {
    return serve(descriptor);
  } catch (const std::exception&) {
    return 1;
  }
}

}  // namespace attentune
