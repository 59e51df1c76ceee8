#include "tools/attentune/coverage_report.h"

#include <algorithm>
#include <charconv>
#include <set>
#include <string_view>
#include <tuple>
#include <utility>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "runtime/simulator/device/simulator_device.h"
#include "tools/attentune/output.h"

namespace attentune {
namespace {

// The n-th line, from 1, without the space before it; "" where there is none.
std::string_view line_of(std::string_view text, std::int64_t number) {
  for (; number > 1; --number) {
    const std::size_t end = text.find('\n');
    if (end == std::string_view::npos)
      return "";
    text.remove_prefix(end + 1);
  }
  const std::string_view line = text.substr(0, text.find('\n'));
  return line.substr(std::min(line.size(), line.find_first_not_of(" \t")));
}

// "div.s64 %rd, %rd, %rd;" of "div.s64 %rd1, %rd8, %rd31;": registers have other numbers in every kernel.
std::string without_numbers(std::string_view instruction) {
  std::string text;
  bool in_register = false;
  for (const char letter : instruction) {
    const bool digit = letter >= '0' && letter <= '9';
    in_register = letter == '%' || (in_register && (digit || (letter >= 'a' && letter <= 'z')));
    if (!in_register || !digit)
      text += letter;
  }
  return text;
}

// 120 of "attentune.cu:120"; 0 where the compiler named no line.
std::int64_t line_number(std::string_view place) {
  std::int64_t number = 0;
  const std::string_view digits = place.substr(place.rfind(':') + 1);
  std::from_chars(digits.data(), digits.data() + digits.size(), number);
  return number;
}

// The texts a kernel's lines are of.
struct Texts {
  std::string_view source;
  std::string_view ptx;

  // Of the place in the source, else of the PTX.
  [[nodiscard]] std::string line(std::string_view place, std::int32_t ptx_line) const {
    const std::int64_t number = line_number(place);
    return number > 0 ? std::string(line_of(source, number)) : without_numbers(line_of(ptx, ptx_line));
  }
};

}  // namespace

void CoverageReport::add(const Kernel& kernel, const Source& source) {
  const std::vector<std::uint8_t>& object = kernel.binary().object;
  const Texts texts{.source = source.text, .ptx = {reinterpret_cast<const char*>(object.data()), object.size()}};
  Entries& entries = binaries_[kernel.binary().key];
  for (const LaunchRule& launch : source.launches)
    entries.try_emplace(launch.entry);
  for (const auto& [entry, coverage] : simulator::SimulatorDevice::coverage(kernel.module())) {
    EntryCoverage& known = entries[entry];
    std::vector<Block>& unentered = known.unentered;
    if (known.blocks > 0) {
      std::erase_if(unentered, [&](const Block& block) {
        return std::ranges::none_of(
            coverage.unentered, [&](const simulator::Unentered& other) { return other.ptx_line == block.ptx_line; });
      });
      continue;
    }
    known.blocks = coverage.blocks;
    for (const simulator::Unentered& block : coverage.unentered) {
      Block& added = unentered.emplace_back();
      added = {.ptx_line = block.ptx_line,
               .place = block.source,
               .line = texts.line(block.source, block.ptx_line),
               .predecessors = {}};
      for (const simulator::Predecessor& one : block.predecessors)
        added.predecessors.push_back({.block_line = one.block_line, .line = texts.line(one.source, one.end_line)});
    }
  }
}

std::vector<CoverageReport::Untaken> CoverageReport::untaken() const {
  std::map<std::tuple<std::string, std::string, std::string>, Untaken> ways;  // by entry, from and to
  for (const auto& [key, entries] : binaries_) {
    std::set<const Untaken*> of_kernel;
    for (const auto& [entry, coverage] : entries) {
      for (const Block& block : coverage.unentered) {
        for (const Block::Predecessor& from : block.predecessors) {
          if (std::ranges::find(coverage.unentered, from.block_line, &Block::ptx_line) != coverage.unentered.end())
            continue;
          Untaken& way = ways[{entry, from.line, block.line}];
          if (way.kernels == 0)
            way = {.entry = entry,
                   .from = from.line,
                   .to = block.line,
                   .example =
                       fmt::format("{}{}PTX line {}", block.place, block.place.empty() ? "" : ", ", block.ptx_line)};
          way.kernels += of_kernel.insert(&way).second ? 1 : 0;
        }
      }
    }
  }
  std::vector<Untaken> sorted;
  sorted.reserve(ways.size());
  for (auto& [name, way] : ways)
    sorted.push_back(std::move(way));
  std::ranges::sort(sorted, [](const Untaken& a, const Untaken& b) {
    return std::tie(b.kernels, a.entry, a.from, a.to) < std::tie(a.kernels, b.entry, b.from, b.to);
  });
  return sorted;
}

std::vector<std::string> CoverageReport::never_launched() const {
  std::set<std::string> names;
  for (const auto& [key, entries] : binaries_) {
    for (const auto& [entry, coverage] : entries) {
      if (coverage.blocks == 0)
        names.insert(entry);
    }
  }
  return {names.begin(), names.end()};
}

std::size_t CoverageReport::blocks() const {
  std::size_t sum = 0;
  for (const auto& [key, entries] : binaries_)
    for (const auto& [entry, coverage] : entries)
      sum += coverage.blocks;
  return sum;
}

std::size_t CoverageReport::unentered() const {
  std::size_t sum = 0;
  for (const auto& [key, entries] : binaries_)
    for (const auto& [entry, coverage] : entries)
      sum += coverage.unentered.size();
  return sum;
}

std::string CoverageReport::text() const {
  std::string text =
      fmt::format("{} of {} basic blocks of {} kernels entered\n", blocks() - unentered(), blocks(), binaries_.size());
  if (const std::vector<std::string> names = never_launched(); !names.empty())
    text += fmt::format("entries never launched: {}\n", fmt::join(names, ", "));
  Table table({"kernels", "entry", "nothing went from", "to", "for example"});
  for (const Untaken& way : untaken())
    table.add({std::to_string(way.kernels), way.entry, way.from, way.to, way.example});
  return table.empty() ? text : text + table.text();
}

}  // namespace attentune
