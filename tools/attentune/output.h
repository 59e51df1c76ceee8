// Where results and complaints go.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include <nlohmann/json_fwd.hpp>

namespace attentune {

// Is this stream a terminal (so that a line may be rewritten in place)?
[[nodiscard]] bool stdout_is_terminal() noexcept;
[[nodiscard]] bool stderr_is_terminal() noexcept;

// Text to standard error. Where that is closed or full there is nobody to tell, and what is done stays the same.
void write_error(std::string_view text) noexcept;
// "attentune: <sentence>" on standard error.
void complain(std::string_view sentence);
// Before work starts: the path of -o, if there is one, is for one problem, can be written, and is not standard output
// ("-") where --json has that. Throws Error(misuse).
void require_output(const std::string& path, std::size_t problems, bool json);
// Text to standard output ("" and "-") or to a file, as runtime/write_file.h writes it.
void write_output(std::string_view text, const std::string& path);
// A line of JSON on standard output; bytes that are no UTF-8, as an argument may hold, are replaced.
void print_json(const nlohmann::ordered_json& line);
// Everything printed so far really left the process; throws Error(device_failed) on a full disk or closed pipe.
void flush_output();
// Why that failed and what to do, of an errno.
[[nodiscard]] std::string stdout_failure(int error);

// Rows of cells as aligned text. Cells that look like numbers are aligned right.
class Table {
 public:
  explicit Table(std::vector<std::string> header) : rows_{std::move(header)} {}
  void add(std::vector<std::string> row) { rows_.push_back(std::move(row)); }
  [[nodiscard]] bool empty() const noexcept { return rows_.size() < 2; }
  [[nodiscard]] std::string text() const;

 private:
  std::vector<std::vector<std::string>> rows_;
};

}  // namespace attentune
