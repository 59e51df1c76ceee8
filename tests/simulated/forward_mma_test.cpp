// forward_mma on the simulator: right, and doing exactly the work it is predicted to do.
#include "generator/forward_mma.h"

#include <doctest/doctest.h>

#include <cstdint>

#include "generator/forward_mma_counts.h"
#include "tests/simulated/simulated.h"

using namespace attentune;

namespace {

const ForwardMma family;

}  // namespace

TEST_CASE("forward_mma is right on the simulator, in every order of events it tries, through all its code") {
  check_sample(family,
               {"sim:sm_80,seed=1", "sim:sm_80,seed=2,eager", "sim:sm_80,seed=3,sms=1", "sim:sm_89,seed=4,sms=5"},
               unenterable_of_forward_mma());
}

TEST_CASE("forward_mma executes the matrix instructions and moves the bytes that were predicted") {
  check_counts(
      family, "sim:sm_80,no-races", [](const Problem& problem, const Config& config, const simulator::Counts& counted) {
        const MmaCounts predicted = mma_counts(problem, config);
        const simulator::Traffic& global = counted.of(simulator::Space::global);
        CHECK(static_cast<std::int64_t>(counted.of(simulator::Category::mma)) == predicted.matrix_instructions);
        CHECK(static_cast<std::int64_t>(global.read) == predicted.global_bytes_read);
        CHECK(static_cast<std::int64_t>(global.written) == predicted.global_bytes_written);
      });
}
