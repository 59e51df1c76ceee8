// What the tests of the Store share: a private directory, sample values, raw files and processes.
#pragma once

#include <doctest/doctest.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <vector>

#include "cache/sqlite.h"
#include "cache/store.h"
#include "generator/error.h"
#include "generator/key.h"

extern char** environ;

namespace attentune::test {

namespace fs = std::filesystem;

class Directory {
 public:
  // in_memory: for tests that make a thousand files, where waiting for a disk would prove nothing.
  explicit Directory(bool in_memory = false) {
    const bool memory = in_memory && ::access("/dev/shm", W_OK) == 0;
    std::string name = memory ? "/dev/shm/attentune-test-XXXXXX" : "/tmp/attentune-test-XXXXXX";
    REQUIRE(::mkdtemp(name.data()) != nullptr);
    path_ = name;
  }
  ~Directory() {
    std::error_code ignored;
    fs::remove_all(path_, ignored);
  }
  Directory(const Directory&) = delete;
  Directory& operator=(const Directory&) = delete;
  [[nodiscard]] std::string operator/(const std::string& name) const { return (path_ / name).string(); }
  [[nodiscard]] const fs::path& path() const { return path_; }

 private:
  fs::path path_;
};

inline std::string read_bytes(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}
inline void write_bytes(const std::string& path, const std::string& bytes) {
  std::ofstream(path, std::ios::binary | std::ios::trunc) << bytes;
  fs::permissions(path, fs::perms::owner_read | fs::perms::owner_write);
}

inline Binary sample_binary(int n, std::size_t bytes = 2000) {
  LaunchRule launch;
  launch.entry = "attentune_kernel";
  launch.grid = {"ceil_div(len_q, 64)", "1", "1"};
  Binary binary;
  binary.key = sha256_hex("binary " + std::to_string(n));
  binary.arch = "host:x86_64:znver4:avx2";
  binary.family = "forward_host";
  binary.compiler = "llvm 19.1.7";
  binary.object.resize(bytes);
  binary.launches = {launch};
  // Not compressible, so that sizes mean something.
  std::uint64_t state = static_cast<std::uint64_t>(n) * 2654435761U + 1;
  for (auto& byte : binary.object) {
    state = state * 6364136223846793005U + 1442695040888963407U;
    byte = static_cast<std::uint8_t>(state >> 56U);
  }
  return binary;
}

inline constexpr const char* sample_device = "host name=Some_CPU arch=znver4 threads=2";
inline constexpr const char* sample_class = "dtype=bf16 group=4 head_dim=128 mask=causal()";

// A finalist that may become the Winner of its bucket.
inline Record sample_record(int n, std::int64_t len = 4096, std::size_t bytes = 2000) {
  Record record{.class_text = sample_class,
                .bucket_text = "batch=1 heads_kv=8 seq=" + std::to_string(len),
                .measurement = {.binary_key = {},
                                .family = "forward_host",
                                .config = "tile_m=" + std::to_string(n) + " | grain=1",
                                .problem = "dtype=bf16 heads=32/8 head_dim=128 seq=" + std::to_string(len),
                                .device = sample_device,
                                .policy = "host-1",
                                .outcome = Outcome::ok,
                                .time_ms = 1.5 + n,
                                .spread = 0.01,
                                .repeats = 20,
                                .error = 0.5,
                                .verified = true,
                                .in_final = true,
                                .detail = {}},
                .session = "test",
                .binary = sample_binary(n, bytes),
                .source_text = "; source " + std::to_string(n)};
  record.measurement.binary_key = record.binary->key;
  return record;
}

inline TuningKey key_of(const Record& record) {
  return {record.class_text, record.bucket_text, record.measurement.device, record.measurement.policy};
}

inline StoreOptions options(const std::string& path, StoreMode mode = StoreMode::read_write,
                            std::vector<std::string>* messages = nullptr) {
  StoreOptions result;
  result.path = path;
  result.mode = mode;
  if (messages != nullptr)
    result.message = [messages](std::string_view text) { messages->emplace_back(text); };
  return result;
}

// The Error's sentence; "" when nothing was thrown.
template <typename Body>
std::string error_of(Body body) {
  try {
    body();
  } catch (const Error& error) {
    return error.what();
  }
  return {};
}

// Opens and closes it again.
inline std::string open_error(const StoreOptions& how) {
  return error_of([&] { static_cast<void>(Store::open(how)); });
}

inline bool contains(const std::string& text, const std::string& part) { return text.find(part) != std::string::npos; }

// Runs SQL behind the Store's back.
inline void tamper(const std::string& path, const std::string& sql) {
  const Connection connection = Connection::open(path, Connection::Access::write, std::chrono::seconds(5));
  connection.execute("PRAGMA foreign_keys=OFF");
  connection.execute(sql);
}

// Starts this test program again for one skipped test case, with settings in the environment.
inline pid_t start_helper(const std::string& test_case, const std::vector<std::string>& settings) {
  std::vector<std::string> words{"/proc/self/exe", "--no-skip", "--test-case=" + test_case};
  std::vector<char*> arguments;
  for (std::string& word : words)
    arguments.push_back(word.data());
  arguments.push_back(nullptr);
  std::vector<std::string> environment = settings;
  for (char** entry = environ; *entry != nullptr; ++entry)
    environment.emplace_back(*entry);
  std::vector<char*> variables;
  for (std::string& variable : environment)
    variables.push_back(variable.data());
  variables.push_back(nullptr);
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_addopen(&actions, STDOUT_FILENO, "/dev/null", O_WRONLY, 0);
  pid_t child = -1;
  REQUIRE(posix_spawn(&child, "/proc/self/exe", &actions, nullptr, arguments.data(), variables.data()) == 0);
  posix_spawn_file_actions_destroy(&actions);
  return child;
}

// The exit status, or minus the signal.
inline int wait_for(pid_t child) {
  int status = 0;
  REQUIRE(::waitpid(child, &status, 0) == child);
  return WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
}

}  // namespace attentune::test
