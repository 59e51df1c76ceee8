#include "tuner/worker_session.h"

#include <algorithm>
#include <new>
#include <optional>
#include <utility>

#include "generator/config.h"
#include "generator/error.h"
#include "runtime/reference/runner.h"

namespace attentune {

namespace {

constexpr std::size_t kernels_kept = 8;

Outcome outcome_of(const Status status) {
  switch (status) {
    case Status::refused:
      return Outcome::refused;
    case Status::wrong:
      return Outcome::wrong;
    case Status::compile_failed:
      return Outcome::compile_failed;
    default:
      return Outcome::faulted;
  }
}

Reply guarded(const std::function<Reply()>& work) {
  try {
    return work();
  } catch (const Error& error) {
    return Failed{.outcome = outcome_of(error.status()), .sentence = error.what()};
  } catch (const std::bad_alloc&) {
    return Failed{.outcome = Outcome::refused, .sentence = "not enough memory for this candidate's workspace"};
  } catch (const std::exception& exception) {
    return Failed{.outcome = Outcome::faulted, .sentence = exception.what()};
  }
}

}  // namespace

struct WorkerSession::Timed {
  std::shared_ptr<const Kernel> kernel;
  std::unique_ptr<Workspace> workspace;
  Binding binding;

  [[nodiscard]] TimeCalls calls() const {
    return [this](const int count) { return binding.time_ms(count); };
  }
};

Reply WorkerSession::prepare(const PrepareRequest& request) {
  return guarded([&]() -> Reply {
    problem_ = parse_problem(request.problem);
    if (device_ == nullptr || device_name_ != request.device || threads_ != request.threads) {
      loaded_.clear();
      verifier_.reset();
      device_.reset();
      executor_ = make_pool(request.threads);
      // On a host one pool runs the kernels and, between them, the reference.
      device_ = request.device == "host" ? open_host(*executor_) : open_device(request.device);
      device_name_ = request.device;
      threads_ = request.threads;
      verifier_ = std::make_unique<Verifier>(*executor_, device_->memory());
    }
    return Prepared{.device = to_text(device_->identity())};
  });
}

std::shared_ptr<const Kernel> WorkerSession::kernel_of(const Candidate& candidate) {
  if (device_ == nullptr) {
    throw Error(Status::misuse, "no problem was prepared; send prepare first");
  }
  const auto found = std::ranges::find_if(loaded_, [&](const Loaded& entry) {
    return entry.binary_key == candidate.binary.key && entry.config == candidate.config;
  });
  if (found != loaded_.end()) {
    loaded_.splice(loaded_.begin(), loaded_, found);
    return loaded_.front().kernel;
  }
  auto kernel = Kernel::load(device_, problem_, parse_config(candidate.config), candidate.binary);
  loaded_.push_front({.binary_key = candidate.binary.key, .config = candidate.config, .kernel = kernel});
  if (loaded_.size() > kernels_kept) {
    loaded_.pop_back();
  }
  return kernel;
}

Reply WorkerSession::verify(const VerifyRequest& request) {
  return guarded([&]() -> Reply {
    const auto kernel = kernel_of(request.candidate);
    const Verdict verdict = verifier_->verify(problem_, runner(kernel));
    return Verified{.passed = verdict.passed, .error = verdict.worst_ratio, .sentence = verdict.sentence};
  });
}

WorkerSession::Timed WorkerSession::ready(const Candidate& candidate) {
  auto kernel = kernel_of(candidate);
  auto workspace = std::make_unique<Workspace>(kernel->workspace_bytes(problem_), device_->memory());
  Binding binding =
      kernel->bind(problem_, verifier_->buffers(problem_).device_tensors(), workspace->data(), workspace->size());
  return {.kernel = std::move(kernel), .workspace = std::move(workspace), .binding = std::move(binding)};
}

Reply WorkerSession::measure(const MeasureRequest& request) {
  return guarded([&]() -> Reply {
    const Timed timed = ready(request.candidate);
    return Measured{.samples_ms = take_samples(timed.calls(), request.plan)};
  });
}

Reply WorkerSession::race(const RaceRequest& request) {
  return guarded([&]() -> Reply {
    const Timed a = ready(request.a);
    const Timed b = ready(request.b);
    return Raced{.samples_ms = take_race(a.calls(), b.calls(), request.plan)};
  });
}

}  // namespace attentune
