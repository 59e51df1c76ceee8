// Runs the command as users do: as a process.
#pragma once

#include <sys/types.h>

#include <filesystem>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

namespace attentune::test {

// A folder that goes away with the object.
class TemporaryFolder {
 public:
  TemporaryFolder();
  ~TemporaryFolder();
  TemporaryFolder(const TemporaryFolder&) = delete;
  TemporaryFolder& operator=(const TemporaryFolder&) = delete;
  [[nodiscard]] std::string file(const std::string& name) const { return (path_ / name).string(); }
  [[nodiscard]] const std::filesystem::path& path() const noexcept { return path_; }

 private:
  std::filesystem::path path_;
};

struct Finished {
  int code = -1;  // exit code, or 128 + signal
  std::string out;
  std::string err;

  // Every line of `out` as JSON; throws when one is not.
  [[nodiscard]] std::vector<nlohmann::json> lines() const;
  // The last JSON line with this event; null when there is none.
  [[nodiscard]] nlohmann::json event(const std::string& name) const;
};

// A started command. Its HOME is the folder, so that no test touches the user's Store, and no ATTENTUNE_ variable of
// the caller reaches it.
class Running {
 public:
  Running(const TemporaryFolder& home, std::vector<std::string> words);
  ~Running();
  Running(const Running&) = delete;
  Running& operator=(const Running&) = delete;
  void signal(int number) const;
  // Text on standard output so far.
  [[nodiscard]] std::string output() const;
  [[nodiscard]] Finished wait();

 private:
  std::string out_path_, err_path_;
  pid_t process_ = -1;
};

// `attentune WORDS...`, to its end.
[[nodiscard]] Finished run_cli(const TemporaryFolder& home, std::vector<std::string> words);
// A line of shell, with $ATTENTUNE as the command; for limits and pipes.
[[nodiscard]] Finished shell(const TemporaryFolder& home, const std::string& line);

[[nodiscard]] std::string read_text(const std::string& path);
void write_text(const std::string& path, const std::string& text);

// A refusal is one sentence on standard error: "attentune: <reason>; <next step>", and nothing on standard output.
[[nodiscard]] bool is_one_sentence(const Finished& finished);

}  // namespace attentune::test
