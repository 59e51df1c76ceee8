// A second process for tests that kill one: this very test program, running one test case that is skipped otherwise.
#pragma once

#include <sys/types.h>

#include <filesystem>
#include <string>

namespace attentune::test {

// A directory of its own, private to the user as a Store demands; removed at the end.
class Folder {
 public:
  Folder();
  ~Folder();
  Folder(const Folder&) = delete;
  Folder& operator=(const Folder&) = delete;
  [[nodiscard]] std::string file(const std::string& name) const { return (path_ / name).string(); }

 private:
  std::filesystem::path path_;
};

// Starts the test case `name` of this program; it finds `argument` in child_argument().
[[nodiscard]] pid_t start_child(const std::string& name, const std::string& argument);
[[nodiscard]] std::string child_argument();
// The exit status of a child that ends within `seconds`, 128 + signal as shells count; one that does not is killed: -1.
[[nodiscard]] int exit_of(pid_t process, double seconds);
// SIGKILL, and waits for its end.
void kill_child(pid_t process);

// Has this process one, alive or not yet reaped? Nothing is reaped here.
[[nodiscard]] bool has_child();
// A process that is neither gone nor a zombie nobody reaps.
[[nodiscard]] bool is_alive(pid_t process);
// Looks every few milliseconds, for at most `seconds`.
template <typename Condition>
[[nodiscard]] bool eventually(Condition&& condition, double seconds);

void sleep_a_little();

template <typename Condition>
bool eventually(Condition&& condition, const double seconds) {
  constexpr double step_s = 0.005;
  for (double waited = 0; waited < seconds; waited += step_s) {
    if (condition()) {
      return true;
    }
    sleep_a_little();
  }
  return condition();
}

}  // namespace attentune::test
