#include <doctest/doctest.h>

#include <filesystem>

#include "tests/tools/cli.h"

using namespace attentune::test;

namespace {
const char* const commands[] = {"doctor", "devices", "problems", "space",  "generate", "compile",
                                "tune",   "run",     "bench",    "verify", "cache"};
}

TEST_CASE("every command's help has an example and exits 0") {
  const TemporaryFolder home;
  for (const char* command : commands) {
    CAPTURE(command);
    const Finished help = run_cli(home, {command, "--help"});
    CHECK(help.code == 0);
    CHECK(help.err.empty());
    CHECK(help.out.find(std::string("Example:\n  attentune ") + command) != std::string::npos);
  }
}

TEST_CASE("the overview names every command") {
  const TemporaryFolder home;
  const Finished help = run_cli(home, {"--help"});
  CHECK(help.code == 0);
  for (const char* command : commands)
    CHECK(help.out.find(std::string("\n  ") + command + " ") != std::string::npos);
  CHECK(help.out.find("worker") == std::string::npos);
  CHECK(run_cli(home, {"--version"}).out.rfind("attentune ", 0) == 0);
}

TEST_CASE("misuse is one sentence with a next step and exit code 2") {
  const TemporaryFolder home;
  const std::vector<std::vector<std::string>> lines{
      {},
      {"tunne"},
      {"doctor", "--colour"},
      {"run"},
      {"tune", "--budget", "soon", "dtype=f32", "heads=1", "head_dim=64", "seq=8"},
      {"tune", "--threads", "-3", "dtype=f32", "heads=1", "head_dim=64", "seq=8"},
      {"cache", "forget"},
      {"cache"},
      {"cache", "prune", "--store", home.file("s.db")},
      {"problems", "--file", home.file("none.list")},
      {"problems", "--model", "gpt-7"},
      {"problems", "--phase", "decode"},
      {"problems", "--model", "gpt-2", "--seq", "many"},
      {"compile", "dtype=f32", "heads=1", "head_dim=64", "seq=8", "--arch", "pdp11"},
      {"generate", "dtype=f32", "heads=1", "head_dim=64", "seq=8", "--config", "tile=oak"},
      {"run", "dtype=f32", "heads=1", "head_dim=64", "seq=8", "--q", home.file("q.npy")},
      {"run", "dtype=f32", "heads=1", "head_dim=64", "seq=8", "--device", "abacus"},
      {"worker"},
  };
  for (const auto& words : lines) {
    std::string line;
    for (const std::string& word : words)
      line += " " + word;
    CAPTURE(line);
    const Finished finished = run_cli(home, words);
    CAPTURE(finished.err);
    CHECK(finished.code == 2);
    CHECK(is_one_sentence(finished));
  }
}

TEST_CASE("a number outside its range is refused, not taken as another") {
  const TemporaryFolder home;
  const auto check = [&](const std::string& command, const std::string& option, const std::string& value) {
    CAPTURE(option);
    CAPTURE(value);
    const Finished finished = run_cli(home, {command, "dtype=f32 heads=1 head_dim=8 seq=9", option, value});
    CAPTURE(finished.err);
    CHECK(finished.code == 2);
    CHECK(is_one_sentence(finished));
    CHECK(finished.err.find(option + ": '" + value + "' is no ") != std::string::npos);
  };
  for (const std::string value :
       {"-1", "", " 1", "1.5", "1x", "0x10", "9223372036854775808", "100000000000000000000"}) {
    check("tune", "--trials", value);
    check("verify", "--all-configs", value);
    check("run", "--threads", value);
  }
  check("tune", "--trials", "0");
  check("verify", "--all-configs", "0");
  for (const std::string value : {"-1", "", "18446744073709551616"})
    check("tune", "--seed", value);
  for (const std::string value : {"-1", "", "0", "inf", "nan", "1e300", "10001h"})
    check("tune", "--budget", value);
}

TEST_CASE("nothing that is typed is silently left out") {
  const TemporaryFolder home;
  const std::string problem = "dtype=f32 heads=1 head_dim=8 seq=9";
  const std::string store = home.file("s.db");
  const std::vector<std::vector<std::string>> lines{
      {"verify", "--all", problem},
      {"problems", "--all", problem},
      {"problems", "--all", "--seq", "9"},
      {"problems", "--heads", "2", problem},
      {"problems", "--heads", "2", "dtype=f32", "heads=2", "head_dim=8", "seq=9"},
      {"problems", "--model", "gpt-2", "--batch", "2", "batch=3"},
      {"problems", "--model", "gpt-2", "batch=2", "batch=3"},
      {"problems", "--file", ""},
      {"cache", "list", "x"},
      {"cache", "verify", "x"},
      {"cache", "misses", "x"},
      {"cache", "prune", "x", "--size", "5"},
      {"cache", "list", "--size", "5"},
      {"cache", "list", "--store", ""},
      {"cache", "list", "--store", ":memory:"},
      {"tune", problem, "--store", ":memory:"},
      {"run", problem, "--out", home.file("o.npy"), "--lse", home.path().string() + "/./o.npy"},
      {"run", problem, "--out", "no_such_folder_or_file", "--lse", "./no_such_folder_or_file"},
      {"run", problem, "--out", ""},
      {"run", problem, "--lse", ""},
      {"run", problem, "--q", ""},
      {"run", problem, "--device", ""},
      {"generate", problem, "-o", ""},
      {"generate", problem, problem, "-o", home.file("k.ll")},
      {"compile", problem, "--arch", ""},
      {"compile", problem, "--json", "-o", "-"},
  };
  for (const auto& words : lines) {
    std::string line;
    for (const std::string& word : words)
      line += " '" + word + "'";
    CAPTURE(line);
    const Finished finished = run_cli(home, words);
    CAPTURE(finished.err);
    CHECK(finished.code == 2);
    CHECK(is_one_sentence(finished));
  }
  CHECK(!std::filesystem::exists(home.file("o.npy")));
  CHECK(!std::filesystem::exists(home.file("k.ll")));
}

TEST_CASE("a result that cannot be written is a failure, not a success") {
  const TemporaryFolder home;
  const Finished full = shell(home, "\"$ATTENTUNE\" problems > /dev/full");
  CHECK(full.code == 1);
  CHECK(full.err.find("attentune: standard output cannot be written") == 0);
}
