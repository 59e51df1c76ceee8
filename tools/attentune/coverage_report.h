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

  // A way nothing took: from the end of a block that was entered, mostly a branch, to one that was not. Whatever else
  // was not entered lies behind such ways.
  struct Untaken {
    std::string entry;
    std::string from;  // the line of source at that end; of the PTX, without the numbers of registers, if there is none
    std::string to;    // the same of where the block begins
    std::size_t kernels = 0;  // in how many
    std::string example;      // one place to look at: "attentune.cu:120, PTX line 433"
  };
  // The most frequent first.
  [[nodiscard]] std::vector<Untaken> untaken() const;

  // Entries of some kernel of which no launch came to its end; their blocks are not known, nor counted below.
  [[nodiscard]] std::vector<std::string> never_launched() const;
  [[nodiscard]] std::size_t blocks() const;
  [[nodiscard]] std::size_t unentered() const;
  // How many blocks were entered, the entries never launched, and the ways nothing took as a table.
  [[nodiscard]] std::string text() const;

 private:
  struct Block {
    std::int32_t ptx_line = 0;
    std::string place;  // "attentune.cu:120"
    std::string line;
    struct Predecessor {
      std::int32_t block_line = 0;  // of the PTX, where it begins
      std::string line;             // where it ends
    };
    std::vector<Predecessor> predecessors;
  };
  struct EntryCoverage {
    std::size_t blocks = 0;  // as long as it was never launched
    std::vector<Block> unentered;
  };
  using Entries = std::map<std::string, EntryCoverage>;
  std::map<std::string, Entries> binaries_;  // by key
};

}  // namespace attentune
