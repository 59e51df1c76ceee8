#include "tuner/tuner.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <map>
#include <memory>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "child_process.h"
#include "faulty_family.h"
#include "generator/bucket.h"
#include "generator/error.h"
#include "generator/key.h"
#include "runtime/device.h"

using namespace attentune;
using namespace attentune::test;

namespace {

constexpr int threads = 2;
const FaultyFamily faulty;

TuneRequest request_for_faults() {
  TuneRequest request;
  request.problem = parse_problem(small_problem);
  request.families = {&faulty};
  request.budget = {.seconds = 300, .trials = 100};
  request.policy.full_repeats = 7;
  // Longer than the slice another process takes away, so that a busy machine does not decide who is faster.
  request.policy.minimum_ms = 4;
  request.worker_path = ATTENTUNE_CLI_PATH;
  return request;
}

std::map<std::string, Measurement> by_config(const TuneResult& result) {
  std::map<std::string, Measurement> rows;
  for (const Measurement& row : result.measurements) {
    rows.emplace(row.config, row);
  }
  return rows;
}

TuningKey key_of(const TuneRequest& request, const Device& device) {
  return {.class_text = class_text(request.problem),
          .bucket_text = to_text(bucket_of(request.problem)),
          .device = to_text(device.identity()),
          .policy = request.policy.id};
}

// The host, but its compiler refuses "fault=none" as that of a GPU refuses a kernel whose setmaxnreg ptxas ignored.
class RefusingDevice final : public Device, public Compiler {
 public:
  explicit RefusingDevice(std::shared_ptr<const Device> host) : host_(std::move(host)) {}

  [[nodiscard]] std::string name() const override { return host_->compiler().name(); }
  [[nodiscard]] std::string options() const override { return host_->compiler().options(); }
  [[nodiscard]] Binary compile(const Source& source) const override {
    if (source.text == refused_text())
      throw RefusalError({.field = "config",
                          .value = "sm_90a",
                          .limit = "ptxas says: setmaxnreg ignored to maintain minimum register requirements",
                          .remedy = "use another Config"});
    return host_->compiler().compile(source);
  }

  [[nodiscard]] const DeviceIdentity& identity() const noexcept override { return host_->identity(); }
  [[nodiscard]] const Arch& arch() const noexcept override { return host_->arch(); }
  [[nodiscard]] const Compiler& compiler() const override { return *this; }
  [[nodiscard]] std::shared_ptr<const Module> load(const Binary& binary) const override { return host_->load(binary); }
  [[nodiscard]] int workers() const noexcept override { return host_->workers(); }
  void launch(const Module& module, const BoundCall& call, Stream stream) const override {
    host_->launch(module, call, stream);
  }

 private:
  [[nodiscard]] std::string refused_text() const {
    return faulty.render(parse_problem(small_problem), arch(), parse_config("fault=none")).text;
  }

  std::shared_ptr<const Device> host_;
};

}  // namespace

TEST_CASE("every fault is a row of its outcome, and the tune goes on to a verified Winner") {
  const auto device = open_device("host", {.threads = threads});
  const auto store = Store::in_memory();
  TuneRequest request = request_for_faults();
  std::vector<TuneProgress> told;
  request.progress = [&](const TuneProgress& progress) { told.push_back(progress); };
  const TuneResult result = tune(request, device, *store);

  CHECK(result.measurements.front().config == "fault=slow");
  const auto rows = by_config(result);
  REQUIRE(rows.size() == 9);
  for (const auto& [config, row] : rows) {
    INFO(config << ": " << row.detail);
    CHECK(row.outcome == (config == "fault=slow" || config == "fault=none"   ? Outcome::ok
                          : config == "fault=null" || config == "fault=trap" ? Outcome::faulted
                          : config == "fault=hang"                           ? Outcome::timed_out
                          : config == "fault=uncompilable"                   ? Outcome::compile_failed
                                                                             : Outcome::wrong));
    CHECK(row.verified == (row.outcome == Outcome::ok));
    CHECK((row.time_ms > 0) == (row.outcome == Outcome::ok));
    CHECK((row.detail.empty() || row.outcome != Outcome::ok));
  }

  // The one that returns at once is the fastest by far, and wrong.
  REQUIRE(result.winner);
  CHECK(result.winner->measurement.config == "fault=none");
  CHECK(result.winner->measurement.verified);
  CHECK(result.winner->measurement.in_final);
  CHECK(result.winner->default_ms > 1.5 * result.winner->measurement.time_ms);
  CHECK_FALSE(result.resumed);
  CHECK(result.tried == 9);

  const auto stored = store->find_winner(key_of(request, *device));
  REQUIRE(stored);
  CHECK(stored->measurement.binary_key == result.winner->measurement.binary_key);
  CHECK(store->load_binary(stored->measurement.binary_key));
  CHECK(store->load_source(stored->measurement.binary_key));

  REQUIRE(told.size() >= 11);
  CHECK(told.front().stage == TuneProgress::Stage::prepare);
  CHECK(told.back().stage == TuneProgress::Stage::done);
  CHECK(told.back().tried == 9);
  CHECK(told.back().planned == 9);
  CHECK(told.back().best_config == "fault=none");
  CHECK(told.back().default_ms > 0);

  // A second tune measures the default and what crashed or hung once; then those are in quarantine.
  const TuneResult second = tune(request, device, *store);
  CHECK(second.resumed);
  CHECK(second.tried == 4);
  REQUIRE(second.winner);
  CHECK(second.winner->measurement.config == "fault=none");
  const TuneResult third = tune(request, device, *store);
  CHECK(third.tried == 1);
  REQUIRE(third.winner);
  CHECK(third.winner->measurement.config == "fault=none");
}

TEST_CASE("what a compiler refuses to let run is a row with its reason, and is not tried again") {
  const auto device = std::make_shared<const RefusingDevice>(open_device("host", {.threads = threads}));
  const auto store = Store::in_memory();
  TuneRequest request = request_for_faults();
  request.only_config = "fault=none";
  const TuneResult result = tune(request, device, *store);
  CHECK(result.tried == 2);
  REQUIRE(result.winner);
  CHECK(result.winner->measurement.config == "fault=slow");

  const std::vector<Measurement> stored = store->measurements_of(key_of(request, *device));
  const auto refused = std::ranges::find(stored, std::string("fault=none"), &Measurement::config);
  REQUIRE(refused != stored.end());
  CHECK(refused->outcome == Outcome::refused);
  CHECK_FALSE(refused->verified);
  CHECK(refused->time_ms == 0);
  CHECK(refused->detail.find("setmaxnreg ignored") != std::string::npos);

  CHECK(tune(request, device, *store).tried == 1);
}

namespace {

// Of a tune that was cancelled when it knew the default alone.
void check_kept_the_default(const TuneResult& result, const Store& store, const TuningKey& key) {
  CHECK(result.cancelled);
  CHECK(result.tried == 1);
  REQUIRE(result.winner);
  CHECK(result.winner->measurement.config == "fault=slow");
  CHECK(store.find_winner(key));
}

}  // namespace

TEST_CASE("a cancelled tune keeps what it knows") {
  const auto device = open_device("host", {.threads = threads});
  const auto store = Store::in_memory();
  TuneRequest request = request_for_faults();
  std::atomic<bool> cancelled = false;
  request.cancelled = &cancelled;
  request.progress = [&](const TuneProgress& progress) { cancelled = progress.tried == 1; };
  const TuneResult result = tune(request, device, *store);
  check_kept_the_default(result, *store, key_of(request, *device));
}

TEST_CASE("a tune cancelled during a candidate drops that one and keeps what it knows") {
  const auto device = open_device("host", {.threads = threads});
  const auto store = Store::in_memory();
  TuneRequest request = request_for_faults();
  request.only_config = "fault=hang";
  std::atomic<bool> default_tried = false;
  std::atomic<bool> cancelled = false;
  request.progress = [&](const TuneProgress& progress) { default_tried = progress.tried == 1; };
  request.cancelled = &cancelled;
  const std::jthread canceller([&] {
    const bool tried = eventually([&] { return default_tried.load(); }, 120);
    // The hang begins, and is waited for two seconds at least.
    std::this_thread::sleep_for(std::chrono::milliseconds(500));
    cancelled = tried;
  });
  const TuneResult result = tune(request, device, *store);
  check_kept_the_default(result, *store, key_of(request, *device));
  // The hang is not the candidate's fault: it is not known to be slow or to have failed.
  for (const StoredMeasurement& row : store->measurements()) {
    CHECK(row.measurement.config == "fault=slow");
  }
}

TEST_CASE("a tune cancelled before its Winner's turn leaves the Winner in its place") {
  const auto device = open_device("host", {.threads = threads});
  const auto store = Store::in_memory();
  TuneRequest request = request_for_faults();
  request.only_config = "fault=none";
  REQUIRE(tune(request, device, *store).winner);
  const auto before = store->find_winner(key_of(request, *device));
  REQUIRE(before);

  const std::atomic<bool> cancelled = true;
  request.cancelled = &cancelled;
  const TuneResult result = tune(request, device, *store);
  CHECK(result.cancelled);
  REQUIRE(result.winner);
  CHECK(to_text(result.winner->measurement) == to_text(before->measurement));
  CHECK(to_text(store->find_winner(key_of(request, *device))->measurement) == to_text(before->measurement));
}

TEST_CASE("trials bound a tune, and the default is tried whatever the budget says") {
  const auto device = open_device("host", {.threads = threads});
  const auto store = Store::in_memory();
  TuneRequest request = request_for_faults();
  request.budget = {.seconds = 0, .trials = 0};
  const TuneResult result = tune(request, device, *store);
  CHECK(result.tried == 1);
  REQUIRE(result.winner);
  CHECK(result.winner->measurement.config == "fault=slow");
}

TEST_CASE("an incumbent that is not reached again keeps its place") {
  const auto device = open_device("host", {.threads = threads});
  const auto store = Store::in_memory();
  TuneRequest request = request_for_faults();
  request.only_config = "fault=none";
  const TuneResult first = tune(request, device, *store);
  CHECK(first.tried == 2);
  REQUIRE(first.winner);
  REQUIRE(first.winner->measurement.config == "fault=none");
  request.only_config.reset();
  request.budget = {.seconds = 0, .trials = 1};
  const TuneResult second = tune(request, device, *store);
  CHECK(second.tried == 1);
  REQUIRE(second.winner);
  CHECK(second.winner->measurement.config == "fault=none");
}

TEST_CASE(
    "of two families the defaults are both measured, and one's Winner is not given up for a Config of the other") {
  const auto device = open_device("host", {.threads = threads});
  const auto store = Store::in_memory();
  TuneRequest request = request_for_faults();
  const KernelFamily* const host = find_family("forward_host");
  request.families = {host, &faulty};
  request.budget.trials = 2;
  const TuneResult first = tune(request, device, *store);
  REQUIRE(first.measurements.size() == 2);
  CHECK(first.measurements[0].family == "forward_host");
  CHECK(first.measurements[1].family == "faulty");
  CHECK(first.measurements[1].config == "fault=slow");
  REQUIRE(first.winner);
  CHECK(first.winner->measurement.family == "forward_host");

  request.only_config = "fault=slow";
  request.budget.trials = 100;
  const TuneResult second = tune(request, device, *store);
  CHECK(second.resumed);
  REQUIRE(second.winner);
  CHECK(second.winner->measurement.family == "forward_host");
  const auto stored = store->find_winner(key_of(request, *device));
  REQUIRE(stored);
  CHECK(stored->measurement.family == "forward_host");

  // Nor does a tune of the one that knows nothing better than the other's Winner.
  request.families = {&faulty, host};
  request.only_config.reset();
  request.budget.trials = 1;
  const TuneResult third = tune(request, device, *store);
  REQUIRE(third.winner);
  CHECK(third.winner->measurement.family == "forward_host");
}

TEST_CASE("what cannot be tuned is refused before work starts") {
  const auto device = open_device("host", {.threads = threads});
  const auto store = Store::in_memory();
  TuneRequest request = request_for_faults();
  request.only_config = "fault=many";
  CHECK_THROWS_AS((void)tune(request, device, *store), RefusalError);
  request.only_config.reset();
  request.worker_path = "/nowhere/attentune";
  CHECK_THROWS_WITH_AS((void)tune(request, device, *store), doctest::Contains("/nowhere/attentune"), Error);
  CHECK(store->measurements().empty());
}

TEST_CASE("the real family is tuned on a small problem") {
  const auto device = open_device("host", {.threads = threads});
  const auto store = Store::in_memory();
  TuneRequest request;
  request.problem = parse_problem("dtype=bf16 heads=4/2 head_dim=32 seq=128 mask=causal()");
  request.budget = {.seconds = 120, .trials = 4};
  request.policy.full_repeats = 5;
  request.worker_path = ATTENTUNE_CLI_PATH;
  const TuneResult result = tune(request, device, *store);
  CHECK(result.tried == 4);
  for (const Measurement& row : result.measurements) {
    INFO(row.config << ": " << row.detail);
    CHECK(row.outcome == Outcome::ok);
  }
  REQUIRE(result.winner);
  CHECK(result.winner->measurement.time_ms <= result.winner->default_ms * 1.05);
}

// Run by the next test case in a process of its own.
TEST_CASE("child: a tune" * doctest::skip()) {
  const auto device = open_device("host", {.threads = threads});
  const auto store = Store::open({.path = child_argument(), .mode = StoreMode::read_write});
  (void)tune(request_for_faults(), device, *store);
}

TEST_CASE("a tune killed with kill -9 goes on where it was") {
  const Folder folder;
  const std::string path = folder.file("store.db");
  const pid_t tuner = start_child("child: a tune", path);
  const auto rows_now = [&]() -> std::size_t {
    try {
      return Store::open({.path = path, .mode = StoreMode::read_only})->measurements().size();
    } catch (const Error&) {
      return 0;  // not there yet
    }
  };
  CHECK(eventually([&] { return rows_now() >= 3; }, 120));
  kill_child(tuner);

  const auto store = Store::open({.path = path, .mode = StoreMode::read_write});
  const auto known = store->measurements();
  REQUIRE(known.size() >= 3);
  const auto device = open_device("host", {.threads = threads});
  const TuneRequest request = request_for_faults();
  const TuneResult result = tune(request, device, *store);
  CHECK(result.resumed);
  // The default again, and once more what crashed or hung.
  CHECK(result.tried <= 9 - known.size() + 1 + 3);
  std::string rows;
  for (const StoredMeasurement& row : store->measurements()) {
    rows += to_text(row.measurement) + "\n";
  }
  INFO(rows);
  REQUIRE(result.winner);
  CHECK(result.winner->measurement.config == "fault=none");
}
