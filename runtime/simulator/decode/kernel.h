// Kernel: an entry decoded once, shared by every warp that runs it.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <vector>

#include "runtime/simulator/decode/step.h"
#include "runtime/simulator/ptx/module.h"

namespace attentune::simulator {

// The special registers that are served, PTX ISA section 10. All are constant for a lane.
enum class Special : std::uint8_t {
  tid_x,
  tid_y,
  tid_z,
  ntid_x,
  ntid_y,
  ntid_z,
  ctaid_x,
  ctaid_y,
  ctaid_z,
  nctaid_x,
  nctaid_y,
  nctaid_z,
  laneid,
  warpid,
  nwarpid,
  smid,
  nsmid,
  gridid,
  lanemask_eq,
  lanemask_le,
  lanemask_lt,
  lanemask_ge,
  lanemask_gt,
  dynamic_smem_size,
  total_smem_size,
  cluster_ctarank,
  cluster_nctarank,
  cluster_ctaid_x,
  cluster_ctaid_y,
  cluster_ctaid_z,
  cluster_nctaid_x,
  cluster_nctaid_y,
  cluster_nctaid_z,
  clusterid_x,
  clusterid_y,
  clusterid_z,
  nclusterid_x,
  nclusterid_y,
  nclusterid_z,
  is_explicit_cluster
};

struct SpecialRegister {
  Special special = Special::tid_x;
  Slot slot;
};

// A basic block that can be reached.
struct BasicBlock {
  std::int32_t first = 0;              // step
  std::int32_t end = 0;                // one past its last step
  std::vector<std::int32_t> previous;  // those that lead to it, by their place in Kernel::blocks
};

struct Kernel {
  std::string name;
  std::vector<Step> steps;
  std::vector<Slot> slots;
  std::vector<std::int32_t> lines;       // of the PTX text, one a step
  std::vector<ptx::SourceLine> sources;  // one a step
  std::vector<std::string> opcodes;      // one a step
  std::vector<std::string> files;
  std::vector<std::string> register_names;  // by Slot::number; immediates have none
  std::vector<BasicBlock> blocks;           // in the order of their steps

  std::vector<std::vector<std::int32_t>> branch_targets;  // each .branchtargets: steps

  RegisterFile initial;  // as a warp finds it: immediates written, all else not
  std::vector<SpecialRegister> specials;

  std::vector<std::uint8_t> constants;  // the .const space
  std::int64_t static_shared_bytes = 0;
  std::int64_t local_bytes = 0;  // a lane
  std::int64_t param_bytes = 0;
  std::array<std::int32_t, 3> max_threads{};
  std::array<std::int32_t, 3> required_threads{};
  std::array<std::int32_t, 3> cluster{};  // blocks; 0: not stated
  std::int32_t min_blocks = 0;            // of a multiprocessor; 0: not stated
  std::int32_t max_registers = 0;         // of a thread; 0: not stated
  std::uint32_t most_registers = 0;       // the largest count of a setmaxnreg.inc; 0: there is none
  bool async_proxy = false;               // bulk copies, wgmma or setmaxnreg

  // "attention.cu:120"; "" without .loc
  [[nodiscard]] std::string source_of(std::size_t step) const;
};

}  // namespace attentune::simulator
