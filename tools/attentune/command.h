// Command: one verb of the program, as a row of a table. The row says which options it takes; arguments.cpp builds the
// command line from it, so help, parsing and dispatch cannot disagree.
#pragma once

#include <string_view>
#include <vector>

#include "tools/attentune/arguments.h"

namespace attentune {

// Groups of options a command may take, or-ed together.
enum OptionGroup : unsigned {
  takes_problem = 1u << 0,     // P
  takes_device = 1u << 1,      // --device --threads
  takes_store = 1u << 2,       // --store
  takes_config = 1u << 3,      // --config
  takes_arch = 1u << 4,        // --arch
  takes_output = 1u << 5,      // -o
  takes_budget = 1u << 6,      // --budget --trials --seed --from-misses
  takes_arrays = 1u << 7,      // --q --k --v --out --lse --sink-logit-file
  takes_all = 1u << 8,         // --all
  takes_json = 1u << 9,        // --json
  takes_verbose = 1u << 10,    // --verbose
  takes_launches = 1u << 11,   // --launches
  takes_assembly = 1u << 12,   // --assembly
  takes_action = 1u << 13,     // the cache's actions
  takes_sample = 1u << 14,     // --all-configs
  takes_templates = 1u << 15,  // --templates
};

struct Command {
  std::string_view name;
  std::string_view summary;   // one line of the overview
  std::string_view detail{};  // what else a user must know; may be empty
  std::string_view example;   // one command line each line
  unsigned options = 0;
  int (*run)(const Arguments&) = nullptr;  // returns the exit code: 0 done, 1 failed; throws Error
  bool hidden = false;
};
[[nodiscard]] const std::vector<Command>& commands();

// One file each.
int run_doctor(const Arguments& arguments);
int run_devices(const Arguments& arguments);
int run_problems(const Arguments& arguments);
int run_space(const Arguments& arguments);
int run_generate(const Arguments& arguments);
int run_compile(const Arguments& arguments);
int run_tune(const Arguments& arguments);
int run_run(const Arguments& arguments);
int run_bench(const Arguments& arguments);
int run_verify(const Arguments& arguments);
int run_cache(const Arguments& arguments);
int run_worker_command(const Arguments& arguments);

}  // namespace attentune
