#include "tools/attentune/output.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cctype>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <iterator>
#include <nlohmann/json.hpp>
#include <span>

#include "generator/error.h"
#include "runtime/write_file.h"

namespace attentune {
namespace {

constexpr std::size_t widest_number = 12;

bool is_number(std::string_view cell) {
  return !cell.empty() && cell.size() <= widest_number &&
         (std::isdigit(static_cast<unsigned char>(cell.front())) != 0 || cell == "-") &&
         cell.find('=') == std::string_view::npos;
}

}  // namespace

bool stdout_is_terminal() noexcept { return isatty(STDOUT_FILENO) == 1; }
bool stderr_is_terminal() noexcept { return isatty(STDERR_FILENO) == 1; }

void write_error(std::string_view text) noexcept { (void)std::fwrite(text.data(), 1, text.size(), stderr); }

void complain(std::string_view sentence) {
  std::fflush(stdout);
  // It may be memory that is short.
  fmt::memory_buffer line;
  fmt::format_to(std::back_inserter(line), "attentune: {}\n", sentence);
  write_error({line.data(), line.size()});
}

void require_output(const std::string& path, std::size_t problems, bool json) {
  if (path.empty())
    return;
  if (problems > 1)
    throw Error(Status::misuse,
                fmt::format("-o holds what is made of one problem and {} are given; give one problem", problems));
  if (path == "-" && json)
    throw Error(Status::misuse, "-o - and --json both want standard output; name a file with -o, or leave one out");
  if (path != "-")
    require_writable(path);
}

void write_output(std::string_view text, const std::string& path) {
  if (path.empty() || path == "-") {
    std::fwrite(text.data(), 1, text.size(), stdout);
    flush_output();
    return;
  }
  write_file(path, std::as_bytes(std::span(text)));
}

void print_json(const nlohmann::ordered_json& line) {
  fmt::print("{}\n", line.dump(-1, ' ', false, nlohmann::ordered_json::error_handler_t::replace));
}

void flush_output() {
  if (std::fflush(stdout) != 0 || std::ferror(stdout) != 0)
    throw Error(Status::device_failed, stdout_failure(errno));
}

std::string stdout_failure(int error) {
  const bool closed = error == EBADF;
  return fmt::format("standard output cannot be written: {}",
                     closed ? "it is closed; open it, for example with > FILE"
                            : fmt::format("{}; free some space", std::strerror(error)));
}

std::string Table::text() const {
  std::vector<std::size_t> widths;
  for (const auto& row : rows_)
    for (std::size_t column = 0; column < row.size(); ++column) {
      if (column == widths.size())
        widths.push_back(0);
      widths[column] = std::max(widths[column], row[column].size());
    }
  std::string text;
  for (const auto& row : rows_) {
    std::string line;
    for (std::size_t column = 0; column < row.size(); ++column) {
      if (column > 0)
        line += "  ";
      line += is_number(row[column]) ? fmt::format("{:>{}}", row[column], widths[column])
                                     : fmt::format("{:<{}}", row[column], widths[column]);
    }
    line.erase(line.find_last_not_of(' ') + 1);
    text += line + "\n";
  }
  return text;
}

}  // namespace attentune
