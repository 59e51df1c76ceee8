#include <doctest/doctest.h>

#include <chrono>
#include <csignal>
#include <filesystem>
#include <thread>

#include "tests/tools/cli.h"

using namespace attentune::test;

namespace {

const std::string problem = "dtype=f32 heads=2 head_dim=32 seq=96 mask=causal()";

Finished tune_briefly(const TemporaryFolder& home, const std::string& trials) {
  return run_cli(home,
                 {"tune", problem, "--trials", trials, "--budget", "20s", "--json", "--store", home.file("s.db")});
}

void check_store_sound(const TemporaryFolder& home) {
  const Finished verified = run_cli(home, {"cache", "verify", "--store", home.file("s.db")});
  CAPTURE(verified.err);
  CHECK(verified.code == 0);
}

// Ctrl-C, which must end it within `most`.
Finished interrupt(Running& running, std::chrono::seconds most) {
  const auto begin = std::chrono::steady_clock::now();
  running.signal(SIGINT);
  Finished finished = running.wait();
  CHECK(std::chrono::steady_clock::now() - begin < most);
  return finished;
}

}  // namespace

TEST_CASE("tune stores a verified winner that run then uses") {
  const TemporaryFolder home;
  const Finished tuned = tune_briefly(home, "4");
  CAPTURE(tuned.err);
  REQUIRE(tuned.code == 0);
  const nlohmann::json result = tuned.event("result");
  CHECK(result.at("trust") == "verified_here");
  CHECK(result.at("error").get<double>() <= 1);
  CHECK(result.at("time_ms").get<double>() > 0);
  CHECK(!tuned.event("candidate").is_null());

  const Finished ran = run_cli(home, {"run", problem, "--json", "--store", home.file("s.db")});
  REQUIRE(ran.code == 0);
  CHECK(ran.event("result").at("provenance") == "exact_bucket");
  CHECK(ran.event("result").at("config") == result.at("config"));

  const Finished listed = run_cli(home, {"cache", "list", "--json", "--store", home.file("s.db")});
  REQUIRE(listed.code == 0);
  const std::string key = listed.event("winner").at("key");
  const Finished shown = run_cli(home, {"cache", "show", key.substr(0, 10), "--store", home.file("s.db")});
  CHECK(shown.code == 0);
  CHECK(shown.out.find("define") != std::string::npos);
  check_store_sound(home);
}

TEST_CASE("a person sees what is tried and how the best compares with the default") {
  const TemporaryFolder home;
  const Finished tuned = run_cli(home, {"tune", problem, "--trials", "3", "--verbose", "--store", home.file("s.db")});
  CAPTURE(tuned.out);
  REQUIRE(tuned.code == 0);
  CHECK(tuned.out.find("GFLOP/s") != std::string::npos);
  CHECK(tuned.out.find("best ") != std::string::npos);
  CHECK(tuned.out.find("default ") != std::string::npos);
  CHECK(tuned.out.find('\x1b') == std::string::npos);
  CHECK(tuned.err.find('\x1b') == std::string::npos);
}

TEST_CASE("tune on a simulator verifies Configs in order of predicted cost and stores nothing") {
  const TemporaryFolder home;
  const Finished ranked =
      run_cli(home, {"tune", "dtype=bf16 heads=1 head_dim=64 seq=70 mask=causal()", "--device", "sim:sm_80", "--trials",
                     "2", "--budget", "10m", "--json", "--store", home.file("s.db")});
  if (ranked.err.find("no NVRTC") != std::string::npos) {
    MESSAGE("skipped: ", ranked.err);
    return;
  }
  CAPTURE(ranked.err);
  REQUIRE(ranked.code == 0);
  const std::vector<nlohmann::json> lines = ranked.lines();
  REQUIRE(lines.size() == 2);
  CHECK(lines[0].at("provenance") == "default_config");
  CHECK(lines[1].at("provenance") == "ranked");
  for (const nlohmann::json& line : lines) {
    CHECK(line.at("event") == "result");
    CHECK(line.at("trust") == "verified_here");
    CHECK(line.at("error").get<double>() <= 1);
    CHECK(line.at("time_ms").is_null());
  }
  CHECK_FALSE(std::filesystem::exists(home.file("s.db")));
}

TEST_CASE("Ctrl-C ends a tune cleanly and keeps what was found") {
  const TemporaryFolder home;
  Running running(home, {ATTENTUNE_CLI_PATH, "tune", problem, "--trials", "100000", "--budget", "10m", "--json",
                         "--store", home.file("s.db")});
  // The first candidate row says that the default Config was measured.
  for (int tick = 0; tick < 600 && running.output().find("\"candidate\"") == std::string::npos; ++tick)
    std::this_thread::sleep_for(std::chrono::milliseconds(100));
  const Finished finished = interrupt(running, std::chrono::seconds(30));
  CAPTURE(finished.err);
  CHECK((finished.code == 0 || finished.code == 1));
  const nlohmann::json result = finished.event("result");
  REQUIRE(!result.is_null());
  CHECK((finished.code == 0) == (result.at("trust") == "verified_here"));
  check_store_sound(home);
  CHECK(tune_briefly(home, "3").code == 0);
}

TEST_CASE("Ctrl-C waits for no long candidate") {
  const TemporaryFolder home;
  // One call of the first candidate takes some ten seconds.
  Running running(home, {ATTENTUNE_CLI_PATH, "tune", "dtype=f32 heads=1 head_dim=128 seq=65536", "--json", "--store",
                         home.file("s.db")});
  for (int tick = 0; tick < 600 && running.output().empty(); ++tick)
    std::this_thread::sleep_for(std::chrono::milliseconds(100));
  std::this_thread::sleep_for(std::chrono::seconds(3));
  const Finished finished = interrupt(running, std::chrono::seconds(20));
  CAPTURE(finished.err);
  CHECK(finished.code == 1);
  CHECK(finished.err.find("stopped before a candidate was verified") != std::string::npos);
  check_store_sound(home);
}

TEST_CASE("a corrupt, foreign or future Store is one sentence and is never destroyed") {
  const TemporaryFolder home;
  REQUIRE(tune_briefly(home, "1").code == 0);
  const std::string store = home.file("s.db");
  const std::string good = read_text(store);

  SUBCASE("not a Store") {
    write_text(store, std::string(8192, 'x'));
    std::filesystem::permissions(store, std::filesystem::perms::owner_read | std::filesystem::perms::owner_write);
    for (const char* action : {"list", "verify", "misses"}) {
      const Finished finished = run_cli(home, {"cache", action, "--store", store});
      CAPTURE(finished.err);
      CHECK(finished.code == 1);
      CHECK(is_one_sentence(finished));
    }
    CHECK(read_text(store) == std::string(8192, 'x'));
    // The library's way goes on without it.
    CHECK(run_cli(home, {"run", problem, "--store", store}).code == 0);
    CHECK(read_text(store) == std::string(8192, 'x'));
  }
  SUBCASE("of a later schema") {
    std::string future = good;
    // SQLite's user_version: the schema version, big-endian, at byte 60 of the header.
    future[60] = 0x01;
    std::filesystem::remove(store + "-wal");
    std::filesystem::remove(store + "-shm");
    write_text(store, future);
    const Finished finished = tune_briefly(home, "1");
    CAPTURE(finished.err);
    CHECK(finished.code == 1);
    CHECK(finished.err.find("attentune: ") == 0);
    CHECK(read_text(store) == future);
  }
  SUBCASE("cut short") {
    std::filesystem::remove(store + "-wal");
    std::filesystem::remove(store + "-shm");
    std::filesystem::resize_file(store, good.size() / 2);
    const Finished finished = run_cli(home, {"cache", "verify", "--store", store});
    CAPTURE(finished.err);
    CHECK(finished.code == 1);
    CHECK(finished.err.find("attentune: ") == 0);
    // tune sets it aside and begins a new one.
    CHECK(tune_briefly(home, "1").code == 0);
    check_store_sound(home);
  }
}

TEST_CASE("a Store in a place that cannot be written is refused before work starts") {
  const TemporaryFolder home;
  const Finished finished = run_cli(home, {"tune", problem, "--store", "/proc/attentune/s.db"});
  CAPTURE(finished.err);
  CHECK(finished.code == 1);
  CHECK(is_one_sentence(finished));
}

TEST_CASE("an unserved problem is refused before the Store is made") {
  const TemporaryFolder home;
  const Finished finished = run_cli(
      home, {"tune", "dtype=f32 heads=1 head_dim=64 seq=8 layout=paged page_size=16", "--store", home.file("new.db")});
  CAPTURE(finished.err);
  CHECK(finished.code == 2);
  CHECK(is_one_sentence(finished));
  CHECK(!std::filesystem::exists(home.file("new.db")));
}

TEST_CASE("looking into a Store that is not there yet says so") {
  const TemporaryFolder home;
  const Finished first = run_cli(home, {"cache", "list"});
  CHECK(first.code == 0);
  CHECK(first.err.find("nothing is stored yet") == 0);
  const Finished named = run_cli(home, {"cache", "list", "--store", home.file("none.db")});
  CHECK(named.code == 1);
  CHECK(is_one_sentence(named));
}
