// Every figure the project promises, from one run: target, measured, ratio, command, machine.
// usage: bench_figures [--json]
//
// A figure is what a command of this build prints, so each row can be repeated by hand.
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstdio>
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
#include "tuner/time_stats.h"

namespace {

enum class Better : std::uint8_t { higher, lower };

struct Figure {
  std::string_view name;
  std::string_view unit;
  std::optional<double> target;  // nothing: reported, not promised
  Better better = Better::lower;
  std::string_view command;  // $/ is the folder of this build's programs
  std::string_view event;    // of the JSON line that holds it; "": a "field=number" word
  std::string_view field;
  int runs = 1;  // the median of so many
};

constexpr std::string_view one_core =
    "dtype=f32 heads=1 head_dim=128 seq=2048 --threads 1 --device host --store :memory:";

const std::vector<Figure>& figures() {
  static const std::string one_core_bench = fmt::format("$/attentune bench {} --json", one_core);
  static const std::vector<Figure> table{
      {.name = "multiply-add ceiling reached, f32 d128 seq 2048, one core, default Config",
       .unit = "of 1",
       .target = 0.70,
       .better = Better::higher,
       .command = one_core_bench,
       .event = "result",
       .field = "fraction",
       .runs = 3},
      {.name = "f32 d128 seq 2048, one core, default Config in turns with the ceiling",
       .unit = "of 1",
       .target = 0.88,
       .better = Better::higher,
       .command = "$/bench_host share 'dtype=f32 heads=1 head_dim=128 seq=2048'",
       .field = "value"},
      {.name = "the same, all cores",
       .unit = "of 1",
       .target = 0.88,
       .better = Better::higher,
       .command = "$/bench_host -t $(nproc) share 'dtype=f32 heads=8 head_dim=128 seq=2048'",
       .field = "value"},
      {.name = "f32 d64",
       .unit = "of 1",
       .target = 0.80,
       .better = Better::higher,
       .command = "$/bench_host share 'dtype=f32 heads=1 head_dim=64 seq=2048'",
       .field = "value"},
      {.name = "f32 d256",
       .unit = "of 1",
       .target = 0.88,
       .better = Better::higher,
       .command = "$/bench_host share 'dtype=f32 heads=1 head_dim=256 seq=2048'",
       .field = "value"},
      {.name = "f32 d40",
       .unit = "of 1",
       .target = 0.75,
       .better = Better::higher,
       .command = "$/bench_host share 'dtype=f32 heads=1 head_dim=40 seq=2048'",
       .field = "value"},
      {.name = "f32 d72",
       .unit = "of 1",
       .target = 0.75,
       .better = Better::higher,
       .command = "$/bench_host share 'dtype=f32 heads=1 head_dim=72 seq=2048'",
       .field = "value"},
      {.name = "f32 d80",
       .unit = "of 1",
       .target = 0.75,
       .better = Better::higher,
       .command = "$/bench_host share 'dtype=f32 heads=1 head_dim=80 seq=2048'",
       .field = "value"},
      {.name = "f32 d112",
       .unit = "of 1",
       .target = 0.75,
       .better = Better::higher,
       .command = "$/bench_host share 'dtype=f32 heads=1 head_dim=112 seq=2048'",
       .field = "value"},
      {.name = "time of f32 over bf16, d128 seq 2048, one core",
       .unit = "times",
       .target = 1.7,
       .better = Better::higher,
       .command = "$/bench_host ratio 'dtype=f32 heads=1 head_dim=128 seq=2048' 'dtype=bf16 heads=1 head_dim=128 "
                  "seq=2048'",
       .field = "value"},
      {.name = "causal over not, f32 d128 seq 4096, one core",
       .unit = "of 1",
       .target = 0.56,
       .command = "$/bench_host ratio 'dtype=f32 heads=2 head_dim=128 seq=4096 mask=causal()' 'dtype=f32 heads=2 "
                  "head_dim=128 seq=4096'",
       .field = "value"},
      {.name = "causal()&window(1023,0) at seq 16384 over its share of visible tiles",
       .unit = "of 1",
       .target = 1.15,
       .command = "$/bench_host tiles 'dtype=f32 heads=1 head_dim=64 seq=16384 mask=causal()&window(1023,0)'",
       .field = "value"},
      {.name = "decode batch 8, 32/8 heads, 8192 keys, bf16: of a sweep that only reads, all cores",
       .unit = "of 1",
       .target = 0.80,
       .better = Better::higher,
       .command = "$/bench_host -t $(nproc) sweep 'dtype=bf16 batch=8 heads=32/8 head_dim=128 seq=1/8192'",
       .field = "value"},
      {.name = "text to callable, f32 d128, median",
       .unit = "ms",
       .target = 150,
       .command = "$/bench_host compile 'dtype=f32 heads=1 head_dim=128 seq=2048'",
       .field = "value"},
      {.name = "text to callable, the thread's own time",
       .unit = "ms",
       .target = {},
       .command = "$/bench_host compile 'dtype=f32 heads=1 head_dim=128 seq=2048'",
       .field = "value_cpu"},
      {.name = "default over the best of eight likely Configs, the worst of the built-in workloads at seq 1024",
       .unit = "times",
       .target = 1.15,
       .command = "$/bench_host defaults 1024",
       .field = "value"},
      {.name = "error, f32 d128 seq 2048",
       .unit = "of the bound",
       .target = 1,
       .command = one_core_bench,
       .event = "result",
       .field = "error"},
      {.name = "lookup of a known kernel",
       .unit = "ns",
       .target = 200,
       .command = "$/bench_lookup",
       .event = "",
       .field = "lookup_ns",
       .runs = 3},
      {.name = "Store hit to a kernel loaded on a GPU (stub driver)",
       .unit = "ms",
       .target = 5,
       .command = "$/bench_store_hit",
       .event = "",
       .field = "store_hit_ms"},
      {.name = "text to cubin by NVRTC, processor time, default Configs of forward_mma on sm_80, median",
       .unit = "s",
       .target = 0.40,
       .command = "$/bench_nvrtc --arch sm_80 --no-nvcc",
       .event = "",
       .field = "forward_mma_median_s"},
      {.name = "the same, the worst",
       .unit = "s",
       .target = 1.2,
       .command = "$/bench_nvrtc --arch sm_80 --no-nvcc",
       .event = "",
       .field = "forward_mma_worst_s"},
      {.name = "the same, forward_wgmma on sm_90a, median",
       .unit = "s",
       .target = 0.70,
       .command = "$/bench_nvrtc --arch sm_90a --no-nvcc",
       .event = "",
       .field = "forward_wgmma_median_s"},
      {.name = "feasible Configs, f32 d128 seq 2048",
       .unit = "Configs",
       .target = 200,
       .better = Better::higher,
       .command = "$/attentune space dtype=f32 heads=1 head_dim=128 seq=2048 --json",
       .event = "space",
       .field = "feasible"},
      {.name = "text to object, f32 d128",
       .unit = "ms",
       .target = {},
       .command = "$/attentune compile dtype=f32 heads=1 head_dim=128 seq=2048 --json",
       .event = "binary",
       .field = "compile_ms",
       .runs = 3},
      {.name = "text to object, bf16 d128 causal softcap",
       .unit = "ms",
       .target = {},
       .command =
           "$/attentune compile dtype=bf16 heads=16/8 head_dim=128 seq=2048 'mask=causal()' 'score=softcap(50)' --json",
       .event = "binary",
       .field = "compile_ms",
       .runs = 3},
      {.name = "roofline reached, bf16 d128 causal GQA 32/8 seq 1024, all threads",
       .unit = "of 1",
       .target = {},
       .better = Better::higher,
       .command =
           "$/attentune bench --model llama-3.1-8b --seq 1024 --phase prefill --device host --store :memory: --json",
       .event = "result",
       .field = "fraction",
       .runs = 3},
      {.name = "roofline reached, bf16 d128 decode GQA 32/8 1/8192, all threads",
       .unit = "of 1",
       .target = {},
       .better = Better::higher,
       .command =
           "$/attentune bench --model llama-3.1-8b --seq 8192 --phase decode --device host --store :memory: --json",
       .event = "result",
       .field = "fraction",
       .runs = 3},
  };
  return table;
}

std::string program_folder() {
  std::array<char, 4096> path{};
  const ssize_t length = readlink("/proc/self/exe", path.data(), path.size() - 1);
  return length <= 0 ? "." : std::filesystem::path(path.data()).parent_path().string();
}

std::string shell_line(std::string_view command, const std::string& folder) {
  std::string line;
  for (std::size_t n = 0; n < command.size(); ++n) {
    if (command.substr(n).starts_with("$/"))
      line += folder;
    else
      line += command[n];
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
  const std::size_t at = text.find(fmt::format("{}=", field));
  if (at == std::string::npos)
    return std::nullopt;
  return std::strtod(text.c_str() + at + field.size() + 1, nullptr);
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

// What a command printed, by its shell line and the number of the run: figures of one command are read off one run.
using Outputs = std::map<std::pair<std::string, int>, std::string>;

std::optional<double> measure(const Figure& figure, const std::string& folder, Outputs& outputs) {
  std::vector<double> values;
  const std::string line = shell_line(figure.command, folder);
  for (int run = 0; run < figure.runs; ++run) {
    const auto [known, is_new] = outputs.try_emplace({line, run});
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

// At least 1 where the target is met, whichever direction is better.
std::optional<double> ratio_of(const Figure& figure, const std::optional<double>& measured) {
  if (!figure.target || !measured || *measured <= 0)
    return std::nullopt;
  return figure.better == Better::higher ? *measured / *figure.target : *figure.target / *measured;
}

nlohmann::ordered_json number(const std::optional<double>& value) {
  return value ? nlohmann::ordered_json(*value) : nlohmann::ordered_json();
}

void print_row(const Figure& figure, const std::optional<double>& measured, const std::string& machine, bool json) {
  const std::optional<double> ratio = ratio_of(figure, measured);
  const std::string command = shell_line(figure.command, "bin");
  if (json) {
    fmt::print("{}\n", nlohmann::ordered_json{{"figure", figure.name},
                                              {"unit", figure.unit},
                                              {"target", number(figure.target)},
                                              {"measured", number(measured)},
                                              {"ratio", number(ratio)},
                                              {"command", command},
                                              {"machine", machine}}
                           .dump());
  } else {
    const std::string target = !figure.target ? "-"
                                              : fmt::format("{} {:.4g} {}", figure.better == Better::higher ? "≥" : "≤",
                                                            *figure.target, figure.unit);
    const std::string value = measured ? fmt::format("{:.4g} {}", *measured, figure.unit) : "failed";
    fmt::print("| {} | {} | {} | {} | `{}` |\n", figure.name, target, value,
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
  const std::string folder = program_folder();
  const std::string machine = to_text(attentune::open_device("host")->identity());
  if (!json)
    fmt::print(
        "Machine: {}. ratio >= 1 meets the target.\n\n| figure | target | measured | ratio | command "
        "|\n|---|---|---|---|---|\n",
        machine);
  Outputs outputs;
  bool all = true;
  for (const Figure& figure : figures()) {
    const std::optional<double> measured = measure(figure, folder, outputs);
    print_row(figure, measured, machine, json);
    const std::optional<double> ratio = ratio_of(figure, measured);
    all = all && measured.has_value() && (!ratio || *ratio >= 1);
  }
  return all ? 0 : 1;
} catch (const std::exception& error) {
  std::fprintf(stderr, "bench_figures: %s\n", error.what());
  return 1;
}
