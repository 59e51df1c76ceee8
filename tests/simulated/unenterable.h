// Ways through kernels that nothing can take, each with its reason: the basic blocks behind them are never entered.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "generator/config.h"
#include "generator/problem.h"
#include "tools/attentune/coverage_report.h"

namespace attentune {

struct Unenterable {
  const char* entry;
  // How the lines begin, as a report has them: the one whose branch never leads to the other, and that other.
  const char* from;
  const char* to;
  const char* reason;
  // Of which kernels that is true; null: of all that have such a branch.
  bool (*applies)(const Problem& problem, const Config& config) = nullptr;
};

[[nodiscard]] std::vector<Unenterable> unenterable_of_forward_mma();
[[nodiscard]] std::vector<Unenterable> unenterable_of_forward_wgmma();

// Compares what was never entered with what is listed, kernel by kernel.
class UnenterableList {
 public:
  explicit UnenterableList(std::vector<Unenterable> rows);

  // Of this one kernel: a sentence for each entry that was never launched, and for each way that nothing took and no
  // row excuses.
  [[nodiscard]] std::vector<std::string> unexplained(const CoverageReport& kernel, const Problem& problem,
                                                     const Config& config) const;
  // The kernel has been run to the end: counts its blocks, and the rows it needs.
  void add(const CoverageReport& kernel, const Problem& problem, const Config& config);
  // A sentence for each row that no kernel added needs.
  [[nodiscard]] std::vector<std::string> unneeded() const;
  // "120 kernels: 15000 of 15400 basic blocks entered", and where the others lie if the list explains them all.
  [[nodiscard]] std::string summary() const;

 private:
  // The place of the row that excuses it; rows_.size() if there is none.
  [[nodiscard]] std::size_t row_of(const CoverageReport::Untaken& way, const Problem& problem,
                                   const Config& config) const;

  std::vector<Unenterable> rows_;
  std::vector<bool> needed_;
  std::size_t kernels_ = 0;
  std::size_t blocks_ = 0;
  std::size_t unentered_ = 0;
  bool all_explained_ = true;
};

}  // namespace attentune
