// Where results and complaints go.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace attentune {

// Is this stream a terminal (so that a line may be rewritten in place)?
[[nodiscard]] bool stdout_is_terminal() noexcept;
[[nodiscard]] bool stderr_is_terminal() noexcept;

// Text to standard error. Where that is closed or full there is nobody to tell, and what is done stays the same.
void write_error(std::string_view text) noexcept;
// "attentune: <sentence>" on standard error.
void complain(std::string_view sentence);
// Text to standard output ("" and "-") or to a file, as runtime/write_file.h writes it.
void write_output(std::string_view text, const std::string& path);
// Everything printed so far really left the process; throws Error(device_failed) on a full disk or closed pipe.
void flush_output();

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
