#include <doctest/doctest.h>

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

TEST_CASE("a result that cannot be written is a failure, not a success") {
  const TemporaryFolder home;
  const Finished full = shell(home, "\"$ATTENTUNE\" problems > /dev/full");
  CHECK(full.code == 1);
  CHECK(full.err.find("attentune: standard output cannot be written") == 0);
}
