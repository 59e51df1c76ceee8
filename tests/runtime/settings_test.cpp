// The environment as a value.
#include "runtime/settings.h"

#include <doctest/doctest.h>
#include <unistd.h>

#include <cstdio>
#include <fstream>
#include <map>
#include <string>

#include "generator/error.h"

using namespace attentune;

namespace {

Settings with(const std::map<std::string, std::string>& variables) {
  return read_settings([&](const char* const name) -> std::optional<std::string> {
    const auto found = variables.find(name);
    return found == variables.end() ? std::nullopt : std::optional(found->second);
  });
}

}  // namespace

TEST_CASE("settings: an empty environment leaves everything open") {
  const Settings settings = with({});
  CHECK(settings.store.empty());
  CHECK(!settings.nvrtc);
  CHECK(!settings.policy);
  CHECK(settings.log.empty());
  CHECK(settings.threads == 0);
}

TEST_CASE("settings: the default store follows XDG, then HOME") {
  CHECK(with({{"HOME", "/home/a"}}).store == "/home/a/.local/share/attentune/store.db");
  CHECK(with({{"HOME", "/home/a"}, {"XDG_DATA_HOME", "/data"}}).store == "/data/attentune/store.db");
  CHECK(with({{"HOME", "/home/a"}, {"XDG_DATA_HOME", ""}}).store == "/home/a/.local/share/attentune/store.db");
  CHECK(with({{"HOME", "/home/a"}, {"ATTENTUNE_STORE", "/s.db"}}).store == "/s.db");
}

TEST_CASE("settings: every variable is read") {
  const Settings settings = with({{"ATTENTUNE_NVRTC", "/opt/libnvrtc.so"},
                                  {"ATTENTUNE_POLICY", "compile"},
                                  {"ATTENTUNE_LOG", "stderr"},
                                  {"ATTENTUNE_THREADS", "3"},
                                  {"PATH", "/bin"}});
  CHECK(settings.nvrtc == "/opt/libnvrtc.so");
  CHECK(settings.policy == MissPolicy::compile);
  CHECK(settings.log == "stderr");
  CHECK(settings.threads == 3);
  CHECK(settings.search_path == "/bin");
}

TEST_CASE("settings: a value that cannot be is refused by the variable's name") {
  CHECK_THROWS_WITH_AS((void)with({{"ATTENTUNE_THREADS", "two"}}),
                       "ATTENTUNE_THREADS=two is refused: a whole number from 0 (all CPUs) to 4096; unset it or set "
                       "ATTENTUNE_THREADS=0",
                       RefusalError);
  CHECK_THROWS_AS((void)with({{"ATTENTUNE_THREADS", "-1"}}), RefusalError);
  CHECK_THROWS_AS((void)with({{"ATTENTUNE_THREADS", "99999999999999"}}), RefusalError);
  CHECK_THROWS_AS((void)with({{"ATTENTUNE_POLICY", "later"}}), RefusalError);
}

TEST_CASE("settings: policies have names both ways") {
  for (const MissPolicy policy : {MissPolicy::fail, MissPolicy::heuristic, MissPolicy::compile, MissPolicy::tune}) {
    CHECK(parse_miss_policy(name(policy)) == policy);
  }
  CHECK(!parse_miss_policy("never"));
}

TEST_CASE("log: nowhere, or lines of a file") {
  CHECK(!make_log(""));
  CHECK(make_log("stderr"));
  const std::string path = "/tmp/attentune_log_" + std::to_string(getpid());
  {
    const auto log = make_log(path);
    log("one sentence");
    log("another");
  }
  std::ifstream file(path);
  std::string first;
  std::string second;
  std::getline(file, first);
  std::getline(file, second);
  CHECK(first == "one sentence");
  CHECK(second == "another");
  std::remove(path.c_str());
  CHECK_THROWS_AS((void)make_log("/nonexistent/folder/log"), Error);
}
