#include "tuner/worker_process.h"

#include <doctest/doctest.h>

#include <atomic>
#include <chrono>
#include <csignal>
#include <fstream>
#include <thread>

#include "child_process.h"
#include "faulty_family.h"
#include "generator/error.h"
#include "runtime/device.h"
#include "tuner/build_hash.h"

using namespace attentune;
using namespace attentune::test;

namespace {

constexpr int threads = 2;
constexpr double patience_s = 120;  // the machine may be busy; nothing here waits so long unless it fails

WorkerProcess worker(const std::string& problem = std::string(small_problem),
                     const std::atomic<bool>* const cancelled = nullptr) {
  return {ATTENTUNE_CLI_PATH, {.device = "host", .threads = threads, .problem = problem}, build_hash(), cancelled};
}

const SamplePlan quick{.samples = 2, .minimum_ms = 0, .limit_ms = 100, .least = 1};

std::string start_failure(WorkerProcess& process) {
  try {
    process.start();
  } catch (const Error& error) {
    CHECK(error.status() == Status::device_failed);
    return error.what();
  }
  return "";
}

}  // namespace

TEST_CASE("a worker sees the device that its tuner sees, verifies and times") {
  const auto device = open_device("host", {.threads = threads});
  auto process = worker();
  process.start();
  CHECK(process.device() == to_text(device->identity()));

  const Candidate good = faulty_candidate(*device, "none");
  const Answer verified = process.ask(VerifyRequest{.candidate = good}, patience_s, "verifying");
  REQUIRE(verified.reply);
  REQUIRE(std::holds_alternative<Verified>(*verified.reply));
  INFO(std::get<Verified>(*verified.reply).sentence);
  CHECK(std::get<Verified>(*verified.reply).passed);

  const Answer measured = process.ask(MeasureRequest{.candidate = good, .plan = quick}, patience_s, "measuring");
  REQUIRE(measured.reply);
  REQUIRE(std::holds_alternative<Measured>(*measured.reply));
  CHECK(std::get<Measured>(*measured.reply).samples_ms.size() == 2);

  const Candidate slow = faulty_candidate(*device, "slow");
  const Answer raced = process.ask(RaceRequest{.a = good, .b = slow, .plan = quick}, patience_s, "racing");
  REQUIRE(raced.reply);
  CHECK(std::holds_alternative<Raced>(*raced.reply));
  CHECK(process.starts() == 1);
}

TEST_CASE("wrong numbers, untouched outputs and writes out of bounds do not pass") {
  const auto device = open_device("host", {.threads = threads});
  auto process = worker();
  for (const char* const fault : {"wrong", "idle", "out_of_bounds"}) {
    CAPTURE(fault);
    const Answer answer =
        process.ask(VerifyRequest{.candidate = faulty_candidate(*device, fault)}, patience_s, "verifying");
    REQUIRE(answer.reply);
    if (const auto* const verified = std::get_if<Verified>(&*answer.reply)) {
      CHECK_FALSE(verified->passed);
      CHECK_FALSE(verified->sentence.empty());
    } else {
      CHECK(std::get<Failed>(*answer.reply).outcome == Outcome::wrong);
    }
  }
}

TEST_CASE("a damaged object is refused, and the worker lives") {
  const auto device = open_device("host", {.threads = threads});
  auto process = worker();
  Candidate damaged = faulty_candidate(*device, "none");
  damaged.binary.object.resize(damaged.binary.object.size() / 2);
  const Answer answer = process.ask(VerifyRequest{.candidate = damaged}, patience_s, "verifying");
  REQUIRE(answer.reply);
  CHECK(std::holds_alternative<Failed>(*answer.reply));
  CHECK(process.process() > 0);
}

// Sanitizers turn a signal into an exit status of their own, so only what is always there is looked for.
TEST_CASE("a crash names how the worker ended, and the next request has a new one") {
  const auto device = open_device("host", {.threads = threads});
  auto process = worker();
  for (const char* const fault : {"null", "trap"}) {
    CAPTURE(fault);
    const Answer answer =
        process.ask(VerifyRequest{.candidate = faulty_candidate(*device, fault)}, patience_s, "verifying");
    CHECK_FALSE(answer.reply);
    CHECK(answer.failure == Outcome::faulted);
    CHECK(answer.detail.ends_with(" while verifying"));
    CHECK((answer.detail.find("SIG") != std::string::npos || answer.detail.find("exit status") != std::string::npos));
    CHECK(process.process() == -1);
  }
  CHECK(process.starts() == 2);
  const Answer good =
      process.ask(VerifyRequest{.candidate = faulty_candidate(*device, "none")}, patience_s, "verifying");
  REQUIRE(good.reply);
  CHECK(std::get<Verified>(*good.reply).passed);
}

TEST_CASE("a hang ends at the deadline, and with the worker") {
  const auto device = open_device("host", {.threads = threads});
  auto process = worker();
  process.start();
  const pid_t hanging = process.process();
  const Answer answer = process.ask(VerifyRequest{.candidate = faulty_candidate(*device, "hang")}, 1.5, "verifying");
  CHECK_FALSE(answer.reply);
  CHECK(answer.failure == Outcome::timed_out);
  CHECK(answer.detail == "no answer within 1.5 s while verifying");
  CHECK_FALSE(is_alive(hanging));
}

TEST_CASE("a hang ends with its worker when the tune is cancelled") {
  const auto device = open_device("host", {.threads = threads});
  std::atomic<bool> cancelled = false;
  auto process = worker(std::string(small_problem), &cancelled);
  process.start();
  const pid_t hanging = process.process();
  const Candidate hang = faulty_candidate(*device, "hang");
  const std::jthread canceller([&] {
    std::this_thread::sleep_for(std::chrono::milliseconds(300));
    cancelled = true;
  });
  const auto begin = std::chrono::steady_clock::now();
  try {
    (void)process.ask(VerifyRequest{.candidate = hang}, patience_s, "verifying");
    FAIL("answered");
  } catch (const Error& error) {
    CHECK(error.status() == Status::cancelled);
  }
  CHECK(std::chrono::steady_clock::now() - begin < std::chrono::seconds(20));
  CHECK(process.process() == -1);
  CHECK_FALSE(is_alive(hanging));
}

TEST_CASE("kill -9 of the worker in the middle of a request is a fault that says so") {
  const auto device = open_device("host", {.threads = threads});
  auto process = worker();
  process.start();
  const pid_t victim = process.process();
  const Candidate hang = faulty_candidate(*device, "hang");
  std::jthread killer([victim] {
    std::this_thread::sleep_for(std::chrono::milliseconds(300));
    kill(victim, SIGKILL);
  });
  const Answer answer = process.ask(MeasureRequest{.candidate = hang, .plan = quick}, patience_s, "measuring");
  CHECK(answer.failure == Outcome::faulted);
  CHECK(answer.detail == "signal 9 (SIGKILL) while measuring");
}

TEST_CASE("a worker of another build is refused in one sentence") {
  WorkerProcess process(ATTENTUNE_CLI_PATH,
                        {.device = "host", .threads = threads, .problem = std::string(small_problem)}, "another");
  const std::string sentence = start_failure(process);
  CHECK(sentence.find("another build of attentune") != std::string::npos);
  CHECK(process.process() == -1);
}

TEST_CASE("what is no worker, or not there, is refused in one sentence") {
  WorkerProcess absent("/nowhere/attentune", {.device = "host", .threads = 1, .problem = ""}, build_hash());
  CHECK(start_failure(absent).find("/nowhere/attentune") != std::string::npos);
  WorkerProcess other("/bin/true", {.device = "host", .threads = 1, .problem = ""}, build_hash());
  CHECK(start_failure(other).find("exit status 0 while starting") != std::string::npos);
}

TEST_CASE("a device the worker cannot open is said in its words") {
  WorkerProcess process(ATTENTUNE_CLI_PATH,
                        {.device = "moon:0", .threads = threads, .problem = std::string(small_problem)}, build_hash());
  CHECK(start_failure(process).find("moon:0") != std::string::npos);
}

// Run by the next test case in a process of its own.
TEST_CASE("child: a worker that hangs" * doctest::skip()) {
  const auto device = open_device("host", {.threads = threads});
  auto process = worker();
  process.start();
  const Candidate hang = faulty_candidate(*device, "hang");
  std::ofstream(child_argument()) << process.process() << "\n" << std::flush;
  (void)process.ask(VerifyRequest{.candidate = hang}, patience_s, "verifying");
}

TEST_CASE("a worker dies with its tuner, even when it hangs") {
  const Folder folder;
  const std::string file = folder.file("worker");
  const pid_t tuner = start_child("child: a worker that hangs", file);
  pid_t hanging = -1;
  REQUIRE(eventually(
      [&] {
        std::ifstream stream(file);
        std::string line;
        return std::getline(stream, line) && !stream.eof() && (hanging = std::stoi(line)) > 0;
      },
      patience_s));
  std::this_thread::sleep_for(std::chrono::milliseconds(500));
  CHECK(is_alive(hanging));
  kill_child(tuner);
  CHECK(eventually([&] { return !is_alive(hanging); }, 10));
}
