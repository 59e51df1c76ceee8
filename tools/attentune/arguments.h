// What the user typed, as plain values. arguments.cpp is the one file that knows the command line library.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

namespace attentune {

struct Command;

// Everything a Problem can be named by; problem_list.h turns it into Problems.
struct ProblemArguments {
  std::vector<std::string> words;             // positionals: one line in words, or one line each
  std::map<std::string, std::string> fields;  // field name of the Problem -> value text, from --heads and friends
  std::string file;                           // --file
  std::string model;                          // --model
  std::string phase;                          // --phase

  [[nodiscard]] bool empty() const {
    return words.empty() && fields.empty() && file.empty() && model.empty() && phase.empty();
  }
};

// --q, --k, ... of `run`.
struct ArrayArguments {
  std::string q, k, v, sink_logit;
  std::string out, lse;

  [[nodiscard]] bool empty() const {
    return q.empty() && k.empty() && v.empty() && sink_logit.empty() && out.empty() && lse.empty();
  }
};

struct Arguments {
  const Command* command = nullptr;
  ProblemArguments problems;
  ArrayArguments arrays;
  std::string device;  // "" = default_device_name()
  int threads = 0;     // 0 = the settings' number, or all
  std::string store;   // "" = the settings' path
  std::optional<std::string> config;
  std::string templates;            // folder of CUDA templates; "" = the embedded ones
  std::optional<std::string> arch;  // compile, generate, space
  std::string output;               // -o
  double budget_s = 60;
  std::uint64_t trials = 200;
  std::uint64_t seed = 1;
  std::optional<std::uint64_t> sample;  // verify --all-configs N
  bool coverage = false;                // verify --coverage
  bool watchdog = false;                // verify --watchdog
  std::string action;                   // cache list | show | misses | verify | prune
  std::string subject;                  // cache show SUBJECT
  std::int64_t size_bytes = -1;         // cache prune --size; -1 = not given
  bool all = false;
  bool misses = false;  // tune --from-misses
  bool assembly = false;
  bool launches = false;
  bool json = false;
  bool verbose = false;
};

// Parses the command line. Nothing: done already (help, version), exit with *exit_code. Prints help to stdout, and
// misuse to stderr as "attentune: <reason>; <next step>" with *exit_code = 2.
[[nodiscard]] std::optional<Arguments> parse_arguments(int argc, const char* const* argv, int* exit_code);

}  // namespace attentune
