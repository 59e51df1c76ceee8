#include <doctest/doctest.h>

#include <filesystem>
#include <set>
#include <string>

#include "tests/tools/cli.h"

using namespace attentune::test;

namespace {
const std::string problem = "dtype=bf16 heads=4/2 head_dim=80 seq=65 mask=causal() outputs=out,lse";
}

TEST_CASE("doctor finds nothing to fail on a working installation") {
  const TemporaryFolder home;
  const Finished finished = run_cli(home, {"doctor"});
  CAPTURE(finished.out);
  CHECK(finished.code == 0);
  for (const char* check :
       {"machine", "device", "features", "compiler", "kernel", "worker", "store", "disk", "gpu", "nvrtc"})
    CHECK(finished.out.find(check) != std::string::npos);
  for (const nlohmann::json& line : run_cli(home, {"doctor", "--json"}).lines()) {
    CHECK(line.at("event") == "check");
    CHECK(line.at("status") != "fail");
    CHECK((line.at("status") == "ok") == line.at("next").get<std::string>().empty());
  }
}

TEST_CASE("devices prints the identity that keys carry") {
  const TemporaryFolder home;
  const nlohmann::json device = run_cli(home, {"devices", "--json", "--threads", "1"}).event("device");
  CHECK(device.at("name") == "host");
  CHECK(device.at("device").get<std::string>().find("threads=1") != std::string::npos);
}

TEST_CASE("space counts its points and ranks them") {
  const TemporaryFolder home;
  const Finished finished = run_cli(home, {"space", problem, "--json"});
  REQUIRE(finished.code == 0);
  const nlohmann::json space = finished.event("space");
  CHECK(space.at("feasible").get<std::uint64_t>() >= 200);
  CHECK(space.at("raw").get<std::uint64_t>() >= space.at("feasible").get<std::uint64_t>());
  for (const nlohmann::json& dimension : space.at("dimensions"))
    CHECK(!dimension.at("meaning").get<std::string>().empty());
  CHECK(run_cli(home, {"space", problem}).out.find("best by predicted cost") != std::string::npos);
}

TEST_CASE("generate is the same every time, to a file or not") {
  const TemporaryFolder home;
  const Finished first = run_cli(home, {"generate", problem});
  REQUIRE(first.code == 0);
  CHECK(first.out.find("define") != std::string::npos);
  CHECK(run_cli(home, {"generate", problem, "-o", home.file("k.ll")}).code == 0);
  CHECK(read_text(home.file("k.ll")) == first.out);
  CHECK(run_cli(home, {"generate", problem, "--launches"}).lines().size() == 1);
}

TEST_CASE("compile makes objects for this machine and for others") {
  const TemporaryFolder home;
  for (const std::string arch : {"x86-64", "x86-64-v2", "haswell", "skylake-avx512", "znver4"}) {
    CAPTURE(arch);
    const Finished finished =
        run_cli(home, {"compile", problem, "--arch", arch, "-o", home.file(arch + ".o"), "--json"});
    CAPTURE(finished.err);
    REQUIRE(finished.code == 0);
    CHECK(read_text(home.file(arch + ".o"))
              .rfind("\x7f"
                     "ELF",
                     0) == 0);
    const auto binary = finished.event("binary");
    for (const auto& symbol : binary.at("undefined"))
      CHECK((symbol == "memcpy" || symbol == "memset"));
  }
  const Finished assembly = run_cli(home, {"compile", problem, "--arch", "haswell", "--assembly"});
  CHECK(assembly.out.find("ymm") != std::string::npos);
  CHECK(run_cli(home, {"compile", problem, "--arch", "haswell", "-o", home.file("no/where.o")}).code == 2);
}

TEST_CASE("a Config that is no point of the space is refused with where to look") {
  const TemporaryFolder home;
  const Finished finished = run_cli(home, {"run", problem, "--config", "row_tile=3"});
  CAPTURE(finished.err);
  CHECK(finished.code == 2);
  CHECK(is_one_sentence(finished));
  CHECK(finished.err.find("attentune space") != std::string::npos);
}

TEST_CASE("verify takes a sample of the space") {
  const TemporaryFolder home;
  const Finished finished =
      run_cli(home, {"verify", "dtype=f32 heads=2 head_dim=16 seq=50", "--all-configs", "3", "--json"});
  CAPTURE(finished.err);
  REQUIRE(finished.code == 0);
  CHECK(finished.lines().size() >= 3);
}

TEST_CASE("space shows, and verify samples, every family that serves the problem") {
  const TemporaryFolder home;
  const std::string decode = "dtype=bf16 heads=4/1 head_dim=16 seq=1/70";
  const Finished space = run_cli(home, {"space", decode, "--arch", "sm_90a", "--json"});
  REQUIRE(space.code == 0);
  std::set<std::string> families;
  for (const nlohmann::json& line : space.lines())
    families.insert(line.at("family"));
  CHECK(families == std::set<std::string>{"forward_mma", "forward_wgmma"});

  const Finished verified = run_cli(home, {"verify", decode, "--device", "sim:sm_90a", "--all-configs", "1", "--json"});
  CAPTURE(verified.err);
  if (verified.err.find("no NVRTC") != std::string::npos) {
    MESSAGE("skipped: ", verified.err);
    return;
  }
  REQUIRE(verified.code == 0);
  families.clear();
  for (const nlohmann::json& line : verified.lines())
    families.insert(line.at("family"));
  CHECK(families == std::set<std::string>{"forward_mma", "forward_wgmma"});
}
