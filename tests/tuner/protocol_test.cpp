#include "tuner/protocol.h"

#include <doctest/doctest.h>

#include <limits>

#include "generator/error.h"
#include "tuner/build_hash.h"

using namespace attentune;

namespace {

Candidate candidate(const std::string& config, std::vector<std::uint8_t> object) {
  Candidate value;
  value.config = config;
  value.binary.key = "k" + config;
  value.binary.arch = "host:x86_64:x86-64:sse2";
  value.binary.family = "forward_host";
  value.binary.object = std::move(object);
  value.binary.launches = {LaunchRule{.entry = "attentune_forward"}};
  return value;
}

template <typename Message>
Message request_again(const Message& message) {
  return std::get<Message>(parse_request(to_frame(Request(message))));
}

template <typename Message>
Message reply_again(const Message& message) {
  return std::get<Message>(parse_reply(to_frame(Reply(message))));
}

}  // namespace

TEST_CASE("requests come back from their frames") {
  CHECK(request_again(Hello{.protocol = 3, .build = "abc"}) == Hello{.protocol = 3, .build = "abc"});
  const PrepareRequest prepare{.device = "host", .threads = 2, .problem = "heads=2"};
  CHECK(request_again(prepare) == prepare);
  const auto verify = request_again(VerifyRequest{.candidate = candidate("a=1", {1, 2, 3})});
  CHECK(verify.candidate.config == "a=1");
  CHECK(verify.candidate.binary.key == "ka=1");
  CHECK(verify.candidate.binary.object == std::vector<std::uint8_t>{1, 2, 3});
  CHECK(verify.candidate.binary.launches.front().entry == "attentune_forward");
  const SamplePlan plan{.samples = 7, .minimum_ms = 1.5, .limit_ms = 250, .least = 3};
  const auto race = request_again(RaceRequest{.a = candidate("a=1", {1}), .b = candidate("a=2", {2, 3}), .plan = plan});
  CHECK(race.a.binary.object == std::vector<std::uint8_t>{1});
  CHECK(race.b.binary.object == std::vector<std::uint8_t>{2, 3});
  CHECK(race.plan.samples == 7);
  CHECK(race.plan.minimum_ms == 1.5);
  CHECK(race.plan.least == 3);
}

TEST_CASE("replies come back from their frames") {
  CHECK(reply_again(Prepared{.device = "host name=x"}).device == "host name=x");
  const auto verified = reply_again(Verified{.passed = false, .error = 3.5, .sentence = "row 3"});
  CHECK(verified.error == 3.5);
  CHECK(verified.sentence == "row 3");
  CHECK(reply_again(Measured{.samples_ms = {1, 2.25}}).samples_ms == std::vector<double>{1, 2.25});
  CHECK(reply_again(Raced{.samples_ms = {.a = {1}, .b = {2}}}).samples_ms.b == std::vector<double>{2});
  CHECK(reply_again(Failed{.outcome = Outcome::refused, .sentence = "no"}).outcome == Outcome::refused);
}

TEST_CASE("an infinite error and a sentence that is no UTF-8 still travel") {
  const auto verified = reply_again(
      Verified{.passed = false, .error = std::numeric_limits<double>::infinity(), .sentence = "bad \xFF byte"});
  CHECK(verified.error > 1e300);
  CHECK(verified.sentence.starts_with("bad "));
}

TEST_CASE("anything else is refused") {
  const auto refused = [](const std::string& json, std::vector<std::uint8_t> blob = {}) {
    const Frame frame{.json = json, .blob = std::move(blob)};
    CHECK_THROWS_AS((void)parse_request(frame), RefusalError);
    CHECK_THROWS_AS((void)parse_reply(frame), RefusalError);
  };
  refused("");
  refused("{");
  refused("[]");
  refused("{}");
  refused(R"({"type":"fly"})");
  refused(R"({"type":3})");
  refused(R"({"type":"hello","protocol":1,"build":"x"})", {1});
  refused(R"({"type":"verify"})");
  refused(R"({"type":"measured","samples_ms":[-1]})");
  refused(R"({"type":"failed","outcome":"happy","sentence":""})");
  refused(std::string(100'000, '['));

  Frame longer = to_frame(Request(VerifyRequest{.candidate = candidate("a=1", {1, 2, 3})}));
  longer.blob.pop_back();
  CHECK_THROWS_AS((void)parse_request(longer), RefusalError);
}

TEST_CASE("a peer of another build or protocol is foreign") {
  const Hello own{.protocol = protocol_version, .build = build_hash()};
  CHECK(why_foreign(own, own).empty());
  CHECK(why_foreign({.protocol = protocol_version, .build = "x"}, own).find("another build") != std::string::npos);
  CHECK(why_foreign({.protocol = protocol_version + 1, .build = own.build}, own).find("protocol") != std::string::npos);
  CHECK(build_hash() == own.build);
  CHECK(own.build.size() == 64);
}
