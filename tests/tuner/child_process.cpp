#include "child_process.h"

#include <doctest/doctest.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <chrono>
#include <csignal>
#include <cstdlib>
#include <fstream>
#include <thread>
#include <vector>

namespace attentune::test {

namespace {
constexpr const char* argument_name = "ATTENTUNE_TEST_CHILD";
}

Folder::Folder() {
  std::string pattern = (std::filesystem::temp_directory_path() / "attentune_tuner_XXXXXX").string();
  REQUIRE(mkdtemp(pattern.data()) != nullptr);
  path_ = pattern;
}

Folder::~Folder() {
  std::error_code error;
  std::filesystem::remove_all(path_, error);
}

pid_t start_child(const std::string& name, const std::string& argument) {
  std::string program = "/proc/self/exe";
  std::string choice = "--test-case=" + name;
  std::string no_skip = "--no-skip";
  std::string quiet = "--minimal";
  std::array<char*, 5> arguments{program.data(), choice.data(), no_skip.data(), quiet.data(), nullptr};
  std::string setting = std::string(argument_name) + "=" + argument;
  std::vector<char*> environment;
  for (char** entry = environ; *entry != nullptr; ++entry) {
    environment.push_back(*entry);
  }
  environment.push_back(setting.data());
  environment.push_back(nullptr);
  pid_t process = -1;
  REQUIRE(posix_spawn(&process, program.c_str(), nullptr, nullptr, arguments.data(), environment.data()) == 0);
  return process;
}

std::string child_argument() {
  const char* const value = std::getenv(argument_name);
  return value != nullptr ? value : "";
}

int exit_of(const pid_t process, const double seconds) {
  int status = 0;
  if (!eventually([&] { return waitpid(process, &status, WNOHANG) == process; }, seconds)) {
    kill_child(process);
    return -1;
  }
  return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

void kill_child(const pid_t process) {
  kill(process, SIGKILL);
  int status = 0;
  waitpid(process, &status, 0);
}

bool is_alive(const pid_t process) {
  std::ifstream stat("/proc/" + std::to_string(process) + "/stat");
  std::string text;
  if (!std::getline(stat, text)) {
    return false;
  }
  // "pid (name) S ...": the name may hold anything, so the state is looked for behind its end.
  const std::size_t end = text.rfind(')');
  return end + 2 < text.size() && text[end + 2] != 'Z' && text[end + 2] != 'X';
}

bool has_child() {
  siginfo_t ended{};
  return waitid(P_ALL, 0, &ended, WEXITED | WNOHANG | WNOWAIT) == 0;
}

void sleep_a_little() { std::this_thread::sleep_for(std::chrono::milliseconds(5)); }

}  // namespace attentune::test
