#include "tools/attentune/arguments.h"

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <cstdint>
#include <cstdio>
#include <functional>
#include <limits>
#include <memory>
#include <stdexcept>
#include <utility>

#include "generator/problem.h"
#include "generator/text.h"
#include "runtime/settings.h"
#include "tools/attentune/command.h"
#include "tools/attentune/output.h"
#include "tools/attentune/quantity.h"

namespace attentune {
namespace {

// More Configs than any space has; a number beyond it is a slip of the finger.
constexpr std::uint64_t most_trials = 1'000'000'000;

struct Misuse : std::runtime_error {
  using std::runtime_error::runtime_error;
};

constexpr std::string_view overview_head =
    "attentune writes, compiles, verifies, tunes and remembers attention kernels for this machine.\n\n"
    "usage: attentune COMMAND [PROBLEM] [OPTIONS]      attentune COMMAND --help explains one command\n\n";

constexpr std::string_view overview_tail =
    "\nA problem is options (--dtype bf16 --heads 32/8 --head-dim 128 --seq 4096 --mask 'causal()'), the same as "
    "words\n"
    "(dtype=bf16 heads=32/8 ...), --file LIST, or --model NAME --seq N.\n"
    "Exit codes: 0 done, 1 failed, 2 misuse.\n\n"
    "Example:\n"
    "  attentune tune dtype=bf16 heads=32/8 head_dim=128 seq=1024 'mask=causal()' --budget 1m\n";

void print_overview() {
  fmt::print("{}", overview_head);
  for (const Command& command : commands())
    if (!command.hidden)
      fmt::print("  {:<10} {}\n", command.name, command.summary);
  fmt::print("{}", overview_tail);
}

std::string indented(std::string_view lines) {
  std::string text = "  ";
  for (const char c : lines) {
    text += c;
    if (c == '\n')
      text += "  ";
  }
  return text;
}

// --k and --v are arrays of `run`, so the dtypes of K, V and out have longer names.
std::string option_name(std::string_view field) {
  if (field == "k" || field == "v" || field == "out")
    return fmt::format("--{}-dtype", field);
  std::string option = "--";
  for (const char c : field)
    option += c == '_' ? '-' : c;
  return option;
}

// "" reads as "not given" from here on.
CLI::Validator not_empty() {
  return {[](const std::string& text) { return text.empty() ? std::string("'' names nothing") : std::string(); }, ""};
}

CLI::Option* add_text(CLI::App& app, const char* name, std::string& value, const char* meaning,
                      const char* placeholder) {
  return app.add_option(name, value, meaning)->check(not_empty())->option_text(placeholder);
}

void add_problem(CLI::App& app, ProblemArguments& problem) {
  const std::string group = "Problem";
  app.add_option("problem", problem.words, "field=value words of one problem, or quoted lines, each a whole problem")
      ->option_text("WORD...");
  for (const ProblemField& field : problem_fields()) {
    const auto store = [&problem, row = &field](const std::string& value) {
      problem.fields[std::string(row->name)] = value;
    };
    const std::string option = option_name(field.name);
    if (field.name == "sink_logit")
      app.add_flag_function(
             option + "{yes}",
             [&problem](std::int64_t count) { problem.fields["sink_logit"] = count > 0 ? "yes" : "no"; },
             std::string(field.meaning))
          ->group(group);
    else
      app.add_option_function<std::string>(option, store, std::string(field.meaning))
          ->group(group)
          ->option_text("VALUE");
  }
  add_text(app, "--file", problem.file, "a problem a line; # begins a comment; - is standard input", "LIST")
      ->group(group);
  add_text(app, "--model", problem.model, "a workload by name; `attentune problems` lists them", "NAME")->group(group);
  add_text(app, "--phase", problem.phase, "of --model: prefill or decode (default: both)", "PHASE")->group(group);
}

template <auto parse, typename T>
void add_quantity(CLI::App& app, const char* name, T& value, const char* expected, const std::string& meaning,
                  const char* placeholder) {
  app.add_option_function<std::string>(
         name,
         [&value, name, expected](const std::string& text) {
           const auto parsed = parse(text);
           if (!parsed)
             throw CLI::ValidationError(name, fmt::format("'{}' is no {}", shown(text), expected));
           value = *parsed;
         },
         meaning)
      ->option_text(placeholder);
}

struct Range {
  std::uint64_t least, most;
};

void add_number(CLI::App& app, const char* name, Range range, const std::string& meaning,
                std::function<void(std::uint64_t)> take) {
  app.add_option_function<std::string>(
         name,
         [name, range, take = std::move(take)](const std::string& text) {
           const auto number = parse_number<std::uint64_t>(text);
           if (!number || *number < range.least || *number > range.most)
             throw CLI::ValidationError(
                 name, fmt::format("'{}' is no whole number from {} to {}", shown(text), range.least, range.most));
           take(*number);
         },
         meaning)
      ->option_text("N");
}

void add_arrays(CLI::App& app, ArrayArguments& arrays) {
  const auto add = [&](const char* name, std::string& path, const char* meaning) {
    add_text(app, name, path, meaning, "FILE.npy")->group("Arrays");
  };
  add("--q", arrays.q, "queries to read");
  add("--k", arrays.k, "keys to read");
  add("--v", arrays.v, "values to read");
  add("--sink-logit-file", arrays.sink_logit, "f32 sink logits [heads] to read");
  add("--out", arrays.out, "where the output is written");
  add("--lse", arrays.lse, "where the log-sum-exp is written");
}

void add_tuning(CLI::App& app, Arguments& arguments) {
  add_quantity<parse_seconds>(app, "--budget", arguments.budget_s, "time above 0 and up to 10000h, such as 30s or 2m",
                              "time for each problem: 30, 30s, 2m (default 60s)", "TIME");
  add_number(app, "--trials", {1, most_trials}, "most Configs tried for each problem (default 200)",
             [&](std::uint64_t number) { arguments.trials = number; });
  add_number(app, "--seed", {0, std::numeric_limits<std::uint64_t>::max()},
             "order of equally promising candidates (default 1)",
             [&](std::uint64_t number) { arguments.seed = number; });
  app.add_flag("--from-misses", arguments.misses, "tune what the Store records as asked for and never tuned");
}

void add_action(CLI::App& app, Arguments& arguments) {
  app.add_option("action", arguments.action, "list, show, misses, verify or prune")->required()->option_text("ACTION");
  app.add_option("key", arguments.subject, "of show: a measurement's id or the beginning of a binary key")
      ->option_text("KEY");
  add_quantity<parse_bytes>(app, "--size", arguments.size_bytes, "size such as 4096, 200M or 1G",
                            "of prune: what may remain: 200M, 1G", "BYTES");
}

void add_options(CLI::App& app, Arguments& arguments) {
  const unsigned options = arguments.command->options;
  const auto takes = [options](OptionGroup group) { return (options & group) != 0; };
  if (takes(takes_problem))
    add_problem(app, arguments.problems);
  if (takes(takes_action))
    add_action(app, arguments);
  if (takes(takes_device)) {
    add_text(app, "--device", arguments.device, "host, gpu:N or sim:ARCH (default: the first GPU, else host)",
             "DEVICE");
    add_number(app, "--threads", {0, most_threads}, "threads of the host device (default: 0, all CPUs)",
               [&](std::uint64_t number) { arguments.threads = static_cast<int>(number); });
  }
  if (takes(takes_store))
    add_text(app, "--store", arguments.store, "the Store's file (default ~/.local/share/attentune/store.db)", "PATH");
  if (takes(takes_config))
    app.add_option("--config", arguments.config, "a point of the space, as `attentune space` prints it")
        ->option_text("TEXT");
  if (takes(takes_templates))
    add_text(app, "--templates", arguments.templates,
             "a folder whose cuda/*.cuh stand for the built-in ones: for who edits them", "DIR");
  if (takes(takes_arch))
    app.add_option("--arch", arguments.arch, "a compile target other than this machine: haswell, x86-64-v2, sm_90a")
        ->check(not_empty())
        ->option_text("ARCH");
  if (takes(takes_arrays))
    add_arrays(app, arguments.arrays);
  if (takes(takes_budget))
    add_tuning(app, arguments);
  if (takes(takes_all))
    app.add_flag("--all", arguments.all, "the built-in list that covers dtypes, masks, groups and odd sizes");
  if (takes(takes_sample)) {
    add_number(app, "--all-configs", {1, most_trials}, "verify N Configs spread over each family's space",
               [&](std::uint64_t number) { arguments.sample = number; });
    app.add_flag("--coverage", arguments.coverage,
                 "of simulated kernels: the basic blocks nothing entered, with every launch choice tried");
    app.add_flag("--watchdog", arguments.watchdog,
                 "of GPU kernels: one that waits for ever is stopped after a second and says where it stood");
  }
  if (takes(takes_output))
    add_text(app, "-o,--output", arguments.output, "file to write", "FILE");
  if (takes(takes_launches))
    app.add_flag("--launches", arguments.launches, "print the launch rules as JSON instead of the text");
  if (takes(takes_assembly))
    app.add_flag("--assembly", arguments.assembly, "print the assembly of the same compilation (PTX for a GPU)");
  if (takes(takes_verbose))
    app.add_flag("-v,--verbose", arguments.verbose, "a row for every candidate");
  if (takes(takes_json))
    app.add_flag("--json", arguments.json, "one JSON object a line on standard output");
}

std::string help_text(const CLI::App& app, const Command& command) {
  std::string text = app.help();
  if (!command.detail.empty())
    text += fmt::format("\n{}\n", command.detail);
  return text + fmt::format("\nExample:\n{}\n", indented(command.example));
}

const Command& find_command(std::string_view name) {
  for (const Command& command : commands())
    if (command.name == name)
      return command;
  throw Misuse(fmt::format("'{}' is not a command; see `attentune --help`", name));
}

// CLI11's sentence, without its line ends and with our next step.
std::string sentence(const CLI::ParseError& error, const Command& command) {
  std::string what = error.what();
  for (char& c : what)
    if (c == '\n')
      c = ' ';
  while (!what.empty() && (what.back() == ' ' || what.back() == '.'))
    what.pop_back();
  return fmt::format("{}; see `attentune {} --help`", what, command.name);
}

Arguments parse_command(const Command& command, int argc, const char* const* argv, bool* helped) {
  Arguments arguments;
  arguments.command = &command;
  CLI::App app(std::string(command.summary), "attentune " + std::string(command.name));
  app.set_help_flag("-h,--help", "print this help");
  add_options(app, arguments);
  std::vector<std::string> words(argv + 2, argv + argc);
  std::reverse(words.begin(), words.end());  // CLI11 takes them from the back
  try {
    app.parse(words);
  } catch (const CLI::CallForHelp&) {
    fmt::print("{}", help_text(app, command));
    *helped = true;
  } catch (const CLI::ParseError& error) {
    throw Misuse(sentence(error, command));
  }
  if (arguments.all && !arguments.problems.empty())
    throw Misuse("--all is a list of problems of its own; leave the other problem out, or give it to a second command");
  return arguments;
}

}  // namespace

std::optional<Arguments> parse_arguments(int argc, const char* const* argv, int* exit_code) {
  *exit_code = 0;
  try {
    const std::string_view first = argc > 1 ? argv[1] : "";
    if (first == "--version" || first == "-V") {
      fmt::print("attentune {}\n", ATTENTUNE_VERSION);
      return std::nullopt;
    }
    if (first == "--help" || first == "-h" || first == "help") {
      print_overview();
      return std::nullopt;
    }
    if (first.empty())
      throw Misuse("no command is given; see `attentune --help`");
    bool helped = false;
    Arguments arguments = parse_command(find_command(first), argc, argv, &helped);
    if (helped)
      return std::nullopt;
    return arguments;
  } catch (const Misuse& misuse) {
    complain(misuse.what());
    *exit_code = 2;
    return std::nullopt;
  }
}

}  // namespace attentune
