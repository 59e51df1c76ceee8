// What tuner and worker say to each other: values, and each as a Frame. The tuner asks, the worker answers once; each
// side's first frame is a Hello.
#pragma once

#include <cstdint>
#include <string>
#include <variant>
#include <vector>

#include "generator/binary.h"
#include "generator/measurement.h"
#include "tuner/frame.h"
#include "tuner/sampler.h"

namespace attentune {

inline constexpr int protocol_version = 1;

// One build talks to itself only: times and verdicts of another build's worker would be filed under this build's keys.
struct Hello {
  int protocol = protocol_version;
  std::string build;

  bool operator==(const Hello&) const = default;
};
// Why a peer's Hello is not this build's; "" when it is.
[[nodiscard]] std::string why_foreign(const Hello& peer, const Hello& own);

// ---- Requests.
// Opens the device and readies the problem; everything after it is about this problem.
struct PrepareRequest {
  std::string device;  // as open_device takes it
  int threads = 0;
  std::string problem;  // canonical text

  bool operator==(const PrepareRequest&) const = default;
};
// A compiled Config.
struct Candidate {
  std::string config;  // to_text(Config)
  Binary binary;
};
struct VerifyRequest {
  Candidate candidate;
};
struct MeasureRequest {
  Candidate candidate;
  SamplePlan plan;
};
struct RaceRequest {
  Candidate a;
  Candidate b;
  SamplePlan plan;
};
struct ShutdownRequest {};
using Request = std::variant<Hello, PrepareRequest, VerifyRequest, MeasureRequest, RaceRequest, ShutdownRequest>;

// ---- Replies.
struct Prepared {
  std::string device;  // to_text(DeviceIdentity), as the worker sees it
};
struct Verified {
  bool passed = false;
  double error = 0;      // largest error over its bound
  std::string sentence;  // what is wrong
};
struct Measured {
  std::vector<double> samples_ms;
};
struct Raced {
  RaceSamples samples_ms;
};
// The worker could not do it, and lives.
struct Failed {
  Outcome outcome = Outcome::faulted;
  std::string sentence;
};
using Reply = std::variant<Hello, Prepared, Verified, Measured, Raced, Failed>;

[[nodiscard]] Frame to_frame(const Request& request);
[[nodiscard]] Frame to_frame(const Reply& reply);
// Throw RefusalError for anything that is not exactly such a message.
[[nodiscard]] Request parse_request(const Frame& frame);
[[nodiscard]] Reply parse_reply(const Frame& frame);

}  // namespace attentune
