#include "tuner/protocol.h"

#include <cmath>
#include <limits>
#include <nlohmann/json.hpp>
#include <span>
#include <utility>

#include "generator/error.h"

namespace attentune {

namespace {

using Json = nlohmann::json;

[[noreturn]] void refuse(const std::string& what) {
  throw RefusalError(
      {.field = "message", .value = "", .limit = what, .remedy = "use the tuner and the worker of one build"});
}

// Cuts a blob into the objects it was joined from.
class BlobReader {
 public:
  explicit BlobReader(const std::span<const std::uint8_t> blob) : rest_(blob) {}
  std::vector<std::uint8_t> take(const std::uint64_t bytes) {
    if (bytes > rest_.size()) {
      refuse("an object is longer than the frame");
    }
    const auto piece = rest_.first(static_cast<std::size_t>(bytes));
    rest_ = rest_.subspan(piece.size());
    return {piece.begin(), piece.end()};
  }
  void finish() const {
    if (!rest_.empty()) {
      refuse("the frame is longer than its objects");
    }
  }

 private:
  std::span<const std::uint8_t> rest_;
};

Json json_of(const Candidate& candidate, std::vector<std::uint8_t>& blob) {
  blob.insert(blob.end(), candidate.binary.object.begin(), candidate.binary.object.end());
  return {{"config", candidate.config},
          {"binary", metadata_text(candidate.binary)},
          {"object_bytes", candidate.binary.object.size()}};
}

Candidate candidate_of(const Json& json, BlobReader& blob) {
  Candidate candidate;
  candidate.config = json.at("config").get<std::string>();
  candidate.binary = parse_binary_metadata(json.at("binary").get<std::string>());
  candidate.binary.object = blob.take(json.at("object_bytes").get<std::uint64_t>());
  return candidate;
}

double finite(const Json& json, const char* name) {
  const double value = json.at(name).get<double>();
  if (!std::isfinite(value)) {
    refuse(std::string(name) + " must be finite");
  }
  return value;
}

Json json_of(const SamplePlan& plan) {
  return {
      {"samples", plan.samples}, {"minimum_ms", plan.minimum_ms}, {"limit_ms", plan.limit_ms}, {"least", plan.least}};
}

SamplePlan plan_of(const Json& json) {
  const SamplePlan plan{.samples = json.at("samples").get<int>(),
                        .minimum_ms = finite(json, "minimum_ms"),
                        .limit_ms = finite(json, "limit_ms"),
                        .least = json.at("least").get<int>()};
  constexpr int most = 100'000;
  if (plan.samples < 1 || plan.samples > most || plan.least > most || plan.minimum_ms < 0 || plan.limit_ms < 0) {
    refuse("a sample plan is out of range");
  }
  return plan;
}

Json json_of(const Hello& hello) { return {{"type", "hello"}, {"protocol", hello.protocol}, {"build", hello.build}}; }

Hello hello_of(const Json& json) {
  return {.protocol = json.at("protocol").get<int>(), .build = json.at("build").get<std::string>()};
}

struct RequestWriter {
  std::vector<std::uint8_t>& blob;
  Json operator()(const Hello& hello) const { return json_of(hello); }
  Json operator()(const PrepareRequest& request) const {
    return {
        {"type", "prepare"}, {"device", request.device}, {"threads", request.threads}, {"problem", request.problem}};
  }
  Json operator()(const VerifyRequest& request) const {
    return {{"type", "verify"}, {"candidate", json_of(request.candidate, blob)}};
  }
  Json operator()(const MeasureRequest& request) const {
    return {{"type", "measure"}, {"candidate", json_of(request.candidate, blob)}, {"plan", json_of(request.plan)}};
  }
  Json operator()(const RaceRequest& request) const {
    // Named one after the other, since both append to the blob.
    Json a = json_of(request.a, blob);
    Json b = json_of(request.b, blob);
    return {{"type", "race"}, {"a", std::move(a)}, {"b", std::move(b)}, {"plan", json_of(request.plan)}};
  }
  Json operator()(const ShutdownRequest&) const { return {{"type", "shutdown"}}; }
};

struct ReplyWriter {
  Json operator()(const Hello& hello) const { return json_of(hello); }
  Json operator()(const Prepared& reply) const { return {{"type", "prepared"}, {"device", reply.device}}; }
  Json operator()(const Verified& reply) const {
    // JSON has no infinity; NaN in an output makes the error infinite.
    const double error = std::isfinite(reply.error) ? reply.error : std::numeric_limits<double>::max();
    return {{"type", "verified"}, {"passed", reply.passed}, {"error", error}, {"sentence", reply.sentence}};
  }
  Json operator()(const Measured& reply) const { return {{"type", "measured"}, {"samples_ms", reply.samples_ms}}; }
  Json operator()(const Raced& reply) const {
    return {{"type", "raced"}, {"a", reply.samples_ms.a}, {"b", reply.samples_ms.b}};
  }
  Json operator()(const Failed& reply) const {
    return {{"type", "failed"}, {"outcome", name(reply.outcome)}, {"sentence", reply.sentence}};
  }
};

Frame frame_of(const Json& json, std::vector<std::uint8_t> blob) {
  // Sentences can quote damaged text: bytes that are no UTF-8 are replaced, not thrown about.
  return {.json = json.dump(-1, ' ', false, Json::error_handler_t::replace), .blob = std::move(blob)};
}

Request request_of(const Json& json, BlobReader& blob) {
  const auto type = json.at("type").get<std::string>();
  if (type == "hello") {
    return hello_of(json);
  }
  if (type == "prepare") {
    return PrepareRequest{.device = json.at("device").get<std::string>(),
                          .threads = json.at("threads").get<int>(),
                          .problem = json.at("problem").get<std::string>()};
  }
  if (type == "verify") {
    return VerifyRequest{.candidate = candidate_of(json.at("candidate"), blob)};
  }
  if (type == "measure") {
    return MeasureRequest{.candidate = candidate_of(json.at("candidate"), blob), .plan = plan_of(json.at("plan"))};
  }
  if (type == "race") {
    Candidate a = candidate_of(json.at("a"), blob);
    Candidate b = candidate_of(json.at("b"), blob);
    return RaceRequest{.a = std::move(a), .b = std::move(b), .plan = plan_of(json.at("plan"))};
  }
  if (type == "shutdown") {
    return ShutdownRequest{};
  }
  refuse("'" + type + "' is no request");
}

std::vector<double> times_of(const Json& json) {
  auto times = json.get<std::vector<double>>();
  for (const double time : times) {
    if (!std::isfinite(time) || time < 0) {
      refuse("a time must be finite and not negative");
    }
  }
  return times;
}

Reply reply_of(const Json& json) {
  const auto type = json.at("type").get<std::string>();
  if (type == "hello") {
    return hello_of(json);
  }
  if (type == "prepared") {
    return Prepared{.device = json.at("device").get<std::string>()};
  }
  if (type == "verified") {
    return Verified{.passed = json.at("passed").get<bool>(),
                    .error = finite(json, "error"),
                    .sentence = json.at("sentence").get<std::string>()};
  }
  if (type == "measured") {
    return Measured{.samples_ms = times_of(json.at("samples_ms"))};
  }
  if (type == "raced") {
    return Raced{.samples_ms = {.a = times_of(json.at("a")), .b = times_of(json.at("b"))}};
  }
  if (type == "failed") {
    const auto outcome = parse_outcome(json.at("outcome").get<std::string>());
    if (!outcome) {
      refuse("a failure of no known outcome");
    }
    return Failed{.outcome = *outcome, .sentence = json.at("sentence").get<std::string>()};
  }
  refuse("'" + type + "' is no reply");
}

}  // namespace

std::string why_foreign(const Hello& peer, const Hello& own) {
  if (peer.protocol != own.protocol) {
    return "it speaks protocol " + std::to_string(peer.protocol) + ", this build speaks " +
           std::to_string(own.protocol);
  }
  return peer.build == own.build ? "" : "it belongs to another build of attentune";
}

Frame to_frame(const Request& request) {
  std::vector<std::uint8_t> blob;
  const Json json = std::visit(RequestWriter{blob}, request);
  return frame_of(json, std::move(blob));
}

Frame to_frame(const Reply& reply) { return frame_of(std::visit(ReplyWriter{}, reply), {}); }

Request parse_request(const Frame& frame) {
  try {
    BlobReader blob(frame.blob);
    Request request = request_of(Json::parse(frame.json), blob);
    blob.finish();
    return request;
  } catch (const Json::exception& exception) {
    refuse(exception.what());
  }
}

Reply parse_reply(const Frame& frame) {
  try {
    BlobReader(frame.blob).finish();
    return reply_of(Json::parse(frame.json));
  } catch (const Json::exception& exception) {
    refuse(exception.what());
  }
}

}  // namespace attentune
