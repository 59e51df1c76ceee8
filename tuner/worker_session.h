// WorkerSession: what a worker keeps between requests about one problem: Device, references, buffers, loaded Kernels.
#pragma once

#include <functional>
#include <list>
#include <memory>
#include <string>

#include "generator/problem.h"
#include "runtime/device.h"
#include "runtime/executor.h"
#include "runtime/kernel.h"
#include "runtime/reference/verify.h"
#include "tuner/protocol.h"

namespace attentune {

class WorkerSession {
 public:
  // Each answers its request; whatever a Candidate does short of ending the process becomes a Failed reply.
  [[nodiscard]] Reply prepare(const PrepareRequest& request);
  [[nodiscard]] Reply verify(const VerifyRequest& request);
  [[nodiscard]] Reply measure(const MeasureRequest& request);
  [[nodiscard]] Reply race(const RaceRequest& request);

 private:
  // A Kernel bound to the session's buffers, ready to be called again and again.
  struct Timed;

  [[nodiscard]] std::shared_ptr<const Kernel> kernel_of(const Candidate& candidate);
  [[nodiscard]] Timed ready(const Candidate& candidate);

  struct Loaded {
    std::string binary_key;
    std::string config;
    std::shared_ptr<const Kernel> kernel;
  };

  // Destroyed last to first: Kernels before their Device, the Device before its Executor.
  std::string device_name_;
  int threads_ = 0;
  std::unique_ptr<Executor> executor_;
  std::shared_ptr<const Device> device_;
  std::unique_ptr<Verifier> verifier_;
  Problem problem_;
  std::list<Loaded> loaded_;  // latest first, a few
};

}  // namespace attentune
