// Every figure of the project that a machine without a GPU can measure, from one run: target, measured, ratio, command,
// machine. Takes some minutes; a figure whose command cannot run here says why it was skipped.
// usage: bench_figures [--json]
//
// A figure is what a command prints, so each row can be repeated by hand. The table of them is figure_list.h.
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <filesystem>
#include <map>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "runtime/device.h"
#include "tools/bench/figure_list.h"
#include "tuner/time_stats.h"

namespace {

using namespace attentune::bench;

using Folders = std::vector<std::pair<std::string_view, std::string>>;

struct Row {
  const Figure& figure;
  std::string_view skipped;  // why; "" when it was measured
  std::optional<double> measured;
};

std::filesystem::path program_folder() {
  std::array<char, 4096> path{};
  const ssize_t length = readlink("/proc/self/exe", path.data(), path.size() - 1);
  return length <= 0 ? "." : std::filesystem::path(path.data()).parent_path();
}

// For a shell, with the slash that $NAME/ had.
std::string quoted(const std::filesystem::path& folder) { return fmt::format("'{}/'", folder.string()); }

// The command with each $NAME/ of `folders` in its place.
std::string shell_line(std::string_view command, const Folders& folders) {
  std::string line(command);
  for (const auto& [name, folder] : folders) {
    for (std::size_t at = 0; (at = line.find(name, at)) != std::string::npos; at += folder.size())
      line.replace(at, name.size(), folder);
  }
  return line;
}

// Standard output of a shell line; the exit code is left aside, for a program over its target exits 1.
std::string output_of(const std::string& line) {
  std::FILE* const pipe = popen(line.c_str(), "r");
  if (pipe == nullptr)
    return "";
  std::string text;
  std::array<char, 4096> piece{};
  for (std::size_t count = 0; (count = std::fread(piece.data(), 1, piece.size(), pipe)) > 0;)
    text.append(piece.data(), count);
  pclose(pipe);
  return text;
}

std::optional<double> number_in_text(const std::string& text, std::string_view field) {
  const std::size_t at = text.find(field);
  if (at == std::string::npos)
    return std::nullopt;
  return std::strtod(text.c_str() + at + field.size(), nullptr);
}

std::optional<double> number_in_json(const std::string& text, const Figure& figure) {
  std::size_t begin = 0;
  while (begin < text.size()) {
    const std::size_t end = std::min(text.find('\n', begin), text.size());
    const auto line = nlohmann::json::parse(text.substr(begin, end - begin), nullptr, false);
    begin = end + 1;
    if (!line.is_object() || line.value("event", "") != figure.event)
      continue;
    if (const auto found = line.find(figure.field); found != line.end() && found->is_number())
      return found->get<double>();
  }
  return std::nullopt;
}

// What a figure's commands say, each run once: figures of one command are read off one run, figures with one need are
// asked for it once.
class Session {
 public:
  explicit Session(Folders folders) : folders_(std::move(folders)) {}

  // "" when this machine has all the figure needs, else what is missing.
  std::string_view missing(const Figure& figure) {
    for (const Need& need : figure.needs) {
      if (need.test.empty())
        continue;
      const auto [known, is_new] = has_.try_emplace(need.test);
      if (is_new)
        known->second =
            std::system(fmt::format("{{ {}; }} >/dev/null 2>&1", shell_line(need.test, folders_)).c_str()) == 0;
      if (!known->second)
        return need.missing;
    }
    return "";
  }

  std::optional<double> measure(const Figure& figure) {
    std::vector<double> values;
    const std::string line = shell_line(figure.command, folders_);
    for (int run = 0; run < figure.runs; ++run) {
      const auto [known, is_new] = outputs_.try_emplace({line, run});
      if (is_new)
        known->second = output_of(line);
      const std::string& text = known->second;
      const auto value = figure.event.empty() ? number_in_text(text, figure.field) : number_in_json(text, figure);
      if (!value)
        return std::nullopt;
      values.push_back(*value);
    }
    return attentune::median(values);
  }

 private:
  Folders folders_;
  std::map<std::string_view, bool> has_;                        // by the need's test
  std::map<std::pair<std::string, int>, std::string> outputs_;  // by shell line and number of the run
};

// At least 1 where the target is met, whichever direction is better.
std::optional<double> ratio_of(const Figure& figure, const std::optional<double>& measured) {
  if (!figure.target || !measured || *measured <= 0)
    return std::nullopt;
  return figure.better == Better::higher ? *measured / *figure.target : *figure.target / *measured;
}

nlohmann::ordered_json number(const std::optional<double>& value) {
  return value ? nlohmann::ordered_json(*value) : nlohmann::ordered_json();
}

std::string text_of(const Row& row) {
  if (!row.skipped.empty())
    return fmt::format("skipped: {}", row.skipped);
  return row.measured ? fmt::format("{:.4g} {}", *row.measured, row.figure.unit) : "failed";
}

void print(const Row& row, const std::string& machine, bool json) {
  const Figure& figure = row.figure;
  std::string command = shell_line(figure.command, {{"$bin/", "bin/"}, {"$lib/", "lib/"}, {"$tools/", "tools/"}});
  const std::optional<double> ratio = ratio_of(figure, row.measured);
  if (json) {
    nlohmann::ordered_json line{{"figure", figure.name},
                                {"unit", figure.unit},
                                {"target", number(figure.target)},
                                {"measured", number(row.measured)},
                                {"ratio", number(ratio)},
                                {"command", command},
                                {"machine", machine}};
    if (!row.skipped.empty())
      line["skipped"] = row.skipped;
    fmt::print("{}\n", line.dump());
  } else {
    const std::string target = !figure.target ? "-"
                                              : fmt::format("{} {:.4g} {}", figure.better == Better::higher ? "≥" : "≤",
                                                            *figure.target, figure.unit);
    // A bar would end the cell.
    for (std::size_t at = 0; (at = command.find('|', at)) != std::string::npos; at += 2)
      command.insert(at, 1, '\\');
    fmt::print("| {} | {} | {} | {} | `{}` |\n", figure.name, target, text_of(row),
               ratio ? fmt::format("{:.2f}", *ratio) : "-", command);
  }
  std::fflush(stdout);
}

}  // namespace

int main(int argc, char** argv) try {
  const bool json = argc == 2 && std::string_view(argv[1]) == "--json";
  if (argc > 1 && !json) {
    fmt::print(stderr, "usage: bench_figures [--json]\n");
    return 2;
  }
  const std::filesystem::path bin = program_folder();
  Session session(
      {{"$bin/", quoted(bin)}, {"$lib/", quoted(bin.parent_path() / "lib")}, {"$tools/", quoted(ATTENTUNE_TOOLS)}});
  const std::string machine = to_text(attentune::open_device("host")->identity());
  if (!json)
    fmt::print(
        "Machine: {}. ratio >= 1 meets the target.\n\n| figure | target | measured | ratio | command "
        "|\n|---|---|---|---|---|\n",
        machine);
  bool all = true;
  for (const Figure& figure : figures) {
    Row row{.figure = figure, .skipped = session.missing(figure), .measured = {}};
    if (row.skipped.empty())
      row.measured = session.measure(figure);
    print(row, machine, json);
    const std::optional<double> ratio = ratio_of(figure, row.measured);
    all = all && (!row.skipped.empty() || (row.measured && (!ratio || *ratio >= 1)));
  }
  return all ? 0 : 1;
} catch (const std::exception& error) {
  std::fprintf(stderr, "bench_figures: %s\n", error.what());
  return 1;
}
