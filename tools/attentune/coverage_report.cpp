#include "tools/attentune/coverage_report.h"

#include <algorithm>
#include <charconv>
#include <string_view>
#include <utility>

#include <fmt/format.h>

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

}  // namespace

void CoverageReport::add(const Kernel& kernel, const Source& source) {
  const std::vector<std::uint8_t>& object = kernel.binary().object;
  const std::string_view ptx(reinterpret_cast<const char*>(object.data()), object.size());
  Entries& entries = binaries_[kernel.binary().key];
  for (const auto& [entry, coverage] : simulator::SimulatorDevice::coverage(kernel.module())) {
    const auto [found, is_new] = entries.try_emplace(entry);
    std::vector<Block>& unentered = found->second.unentered;
    if (!is_new) {
      std::erase_if(unentered, [&](const Block& block) {
        return std::ranges::none_of(
            coverage.unentered, [&](const simulator::Unentered& other) { return other.ptx_line == block.ptx_line; });
      });
      continue;
    }
    found->second.blocks = coverage.blocks;
    for (const simulator::Unentered& block : coverage.unentered) {
      const std::int64_t number = line_number(block.source);
      unentered.push_back({.ptx_line = block.ptx_line,
                           .place = block.source,
                           .line = number > 0 ? std::string(line_of(source.text, number))
                                              : without_numbers(line_of(ptx, block.ptx_line))});
    }
  }
}

std::string CoverageReport::text() const {
  struct Row {
    std::size_t kernels = 0;
    std::string example;
  };
  std::map<std::pair<std::string, std::string>, Row> rows;  // by entry and line
  std::size_t blocks = 0;
  std::size_t unentered = 0;
  for (const auto& [key, entries] : binaries_) {
    std::map<std::pair<std::string, std::string>, std::string> lines;
    for (const auto& [entry, coverage] : entries) {
      blocks += coverage.blocks;
      unentered += coverage.unentered.size();
      for (const Block& block : coverage.unentered)
        lines.try_emplace({entry, block.line},
                          fmt::format("{}{}PTX line {}", block.place, block.place.empty() ? "" : ", ", block.ptx_line));
    }
    for (const auto& [line, example] : lines) {
      Row& row = rows[line];
      if (row.kernels++ == 0)
        row.example = example;
    }
  }
  std::vector<std::pair<std::pair<std::string, std::string>, Row>> sorted(rows.begin(), rows.end());
  std::ranges::sort(sorted, [](const auto& a, const auto& b) {
    return std::pair(b.second.kernels, a.first) < std::pair(a.second.kernels, b.first);
  });

  std::string text =
      fmt::format("{} of {} basic blocks of {} kernels entered\n", blocks - unentered, blocks, binaries_.size());
  Table table({"kernels", "entry", "not entered: line", "for example"});
  for (const auto& [line, row] : sorted)
    table.add({std::to_string(row.kernels), line.first, line.second, row.example});
  return table.empty() ? text : text + table.text();
}

}  // namespace attentune
