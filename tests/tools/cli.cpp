#include "tests/tools/cli.h"

#include <fcntl.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <csignal>
#include <fstream>
#include <iterator>
#include <sstream>
#include <stdexcept>

namespace attentune::test {
namespace {

std::string unique_name(const char* stem) {
  static std::atomic<int> counter{0};
  return std::string(stem) + std::to_string(getpid()) + "-" + std::to_string(counter++);
}

// What a program needs, and no setting of attentune.
std::vector<std::string> environment_of(const TemporaryFolder& home) {
  std::vector<std::string> environment{"HOME=" + home.path().string(), "LC_ALL=C",
                                       std::string("ATTENTUNE=") + ATTENTUNE_CLI_PATH,
                                       "PATH=/usr/local/bin:/usr/bin:/bin"};
  return environment;
}

std::vector<char*> pointers(std::vector<std::string>& words) {
  std::vector<char*> result;
  for (std::string& word : words)
    result.push_back(word.data());
  result.push_back(nullptr);
  return result;
}

}  // namespace

TemporaryFolder::TemporaryFolder() : path_(std::filesystem::temp_directory_path() / unique_name("attentune-tools-")) {
  std::filesystem::create_directories(path_);
  std::filesystem::permissions(path_, std::filesystem::perms::owner_all);
}

TemporaryFolder::~TemporaryFolder() {
  std::error_code ignored;
  std::filesystem::remove_all(path_, ignored);
}

std::vector<nlohmann::json> Finished::lines() const {
  std::vector<nlohmann::json> lines;
  std::istringstream stream(out);
  for (std::string line; std::getline(stream, line);)
    lines.push_back(nlohmann::json::parse(line));
  return lines;
}

nlohmann::json Finished::event(const std::string& name) const {
  nlohmann::json found;
  for (const nlohmann::json& line : lines())
    if (line.at("event") == name)
      found = line;
  return found;
}

Running::Running(const TemporaryFolder& home, std::vector<std::string> words)
    : out_path_(home.file(unique_name("out"))), err_path_(home.file(unique_name("err"))) {
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0);
  posix_spawn_file_actions_addopen(&actions, 1, out_path_.c_str(), O_WRONLY | O_CREAT | O_TRUNC, 0600);
  posix_spawn_file_actions_addopen(&actions, 2, err_path_.c_str(), O_WRONLY | O_CREAT | O_TRUNC, 0600);
  std::vector<std::string> environment = environment_of(home);
  const int error =
      posix_spawn(&process_, words[0].c_str(), &actions, nullptr, pointers(words).data(), pointers(environment).data());
  posix_spawn_file_actions_destroy(&actions);
  if (error != 0)
    throw std::runtime_error("cannot start " + words[0]);
}

Running::~Running() {
  if (process_ <= 0)
    return;
  kill(process_, SIGKILL);
  waitpid(process_, nullptr, 0);
}

void Running::signal(int number) const { kill(process_, number); }

std::string Running::output() const { return read_text(out_path_); }

Finished Running::wait() {
  int status = 0;
  while (waitpid(process_, &status, 0) < 0 && errno == EINTR) {
  }
  process_ = -1;
  return {.code = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status),
          .out = read_text(out_path_),
          .err = read_text(err_path_)};
}

Finished run_cli(const TemporaryFolder& home, std::vector<std::string> words) {
  words.insert(words.begin(), ATTENTUNE_CLI_PATH);
  return Running(home, std::move(words)).wait();
}

Finished shell(const TemporaryFolder& home, const std::string& line) {
  return Running(home, {"/bin/sh", "-c", line}).wait();
}

std::string read_text(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

void write_text(const std::string& path, const std::string& text) {
  std::ofstream(path, std::ios::binary | std::ios::trunc) << text;
}

bool is_one_sentence(const Finished& finished) {
  return finished.out.empty() && finished.err.rfind("attentune: ", 0) == 0 &&
         std::count(finished.err.begin(), finished.err.end(), '\n') == 1 && finished.err.back() == '\n' &&
         finished.err.find("; ") != std::string::npos;
}

}  // namespace attentune::test
