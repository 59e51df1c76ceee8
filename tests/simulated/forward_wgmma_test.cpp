// forward_wgmma on the simulator: right, and doing exactly the work it is predicted to do.
#include "generator/forward_wgmma.h"

#include <doctest/doctest.h>

#include <cstdint>
#include <string_view>

#include "generator/forward_wgmma_counts.h"
#include "tests/simulated/simulated.h"

using namespace attentune;

namespace {

const ForwardWgmma family;
constexpr std::int64_t warps_a_warpgroup = 4;

// Executions, by warps, of every opcode that begins so.
std::int64_t executions(const simulator::Counts& counts, const std::string_view opcode) {
  std::int64_t sum = 0;
  for (const auto& [name, count] : counts.by_opcode)
    sum += name.starts_with(opcode) ? static_cast<std::int64_t>(count) : 0;
  return sum;
}

}  // namespace

TEST_CASE("forward_wgmma is right on the simulator, in every order of events it tries, through all its code") {
  check_sample(family,
               {"sim:sm_90a,seed=1", "sim:sm_90a,seed=2,eager", "sim:sm_90a,seed=3,sms=1", "sim:sm_90a,seed=4,sms=5"},
               unenterable_of_forward_wgmma());
}

TEST_CASE("forward_wgmma executes the matrix instructions and copies that were predicted, without a bank conflict") {
  check_counts(family, "sim:sm_90a,no-races",
               [](const Problem& problem, const Config& config, const simulator::Counts& counted) {
                 const WgmmaCounts predicted = wgmma_counts(problem, config);
                 const simulator::Traffic& global = counted.of(simulator::Space::global);
                 CHECK(executions(counted, "wgmma.mma_async") == warps_a_warpgroup * predicted.matrix_instructions);
                 CHECK(executions(counted, "cp.async.bulk.tensor.4d.shared") == predicted.tensor_copies);
                 CHECK(executions(counted, "cp.async.bulk.tensor.4d.global") == predicted.tensor_stores);
                 CHECK(counted.shared_conflict_cycles == 0);
                 CHECK(static_cast<std::int64_t>(global.read) == predicted.global_bytes_read);
                 CHECK(static_cast<std::int64_t>(global.written) == predicted.global_bytes_written);
               });
}
