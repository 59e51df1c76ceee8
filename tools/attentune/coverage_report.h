// CoverageReport: which basic blocks of simulated kernels nothing entered, over all that was run of each kernel.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "generator/source.h"
#include "runtime/kernel.h"

namespace attentune {

class CoverageReport {
 public:
  // What the launches of this kernel entered, which runs on a simulator. Kernels of one binary key add up, whatever
  // their problems and launch choices. `source` is the text its lines are of.
  void add(const Kernel& kernel, const Source& source);

  // One row for each line of source that begins a block nothing entered, the most frequent first: in how many kernels,
  // the entry, the line's text, and one place to look at.
  [[nodiscard]] std::string text() const;

 private:
  struct Block {
    std::int32_t ptx_line = 0;
    std::string place;  // "attentune.cu:120"
    std::string line;   // the text there; of the PTX where the compiler named no place
  };
  struct EntryCoverage {
    std::size_t blocks = 0;
    std::vector<Block> unentered;
  };
  using Entries = std::map<std::string, EntryCoverage>;
  std::map<std::string, Entries> binaries_;  // by key
};

}  // namespace attentune
