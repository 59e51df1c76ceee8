#include "runtime/runtime.h"

#include <array>
#include <exception>
#include <utility>

#include "generator/error.h"
#include "generator/key.h"
#include "runtime/runtime_implementation.h"

namespace attentune {
namespace {

struct PolicyName {
  MissPolicy policy;
  std::string_view name;
};
constexpr std::array policy_names{
    PolicyName{MissPolicy::fail, "fail"},
    PolicyName{MissPolicy::heuristic, "heuristic"},
    PolicyName{MissPolicy::compile, "compile"},
    PolicyName{MissPolicy::tune, "tune"},
};

}  // namespace

std::string_view name(const MissPolicy policy) noexcept {
  for (const PolicyName& row : policy_names) {
    if (row.policy == policy) {
      return row.name;
    }
  }
  return "unknown";
}

std::optional<MissPolicy> parse_miss_policy(const std::string_view text) noexcept {
  for (const PolicyName& row : policy_names) {
    if (row.name == text) {
      return row.policy;
    }
  }
  return std::nullopt;
}

std::string tune_command(const Problem& problem) { return "attentune tune '" + to_text(representative(problem)) + "'"; }

Runtime::Runtime(std::shared_ptr<const Device> device, std::shared_ptr<Store> store, RuntimeOptions options)
    : implementation_(std::move(device), std::move(store), std::move(options)) {}

Runtime::~Runtime() = default;

Runtime::Implementation& Runtime::of_this_process() {
  return implementation_.get(
      [](const Implementation& parents) { return Implementation(Implementation::ForkedChild{}, parents); });
}

const Variant& Runtime::kernel(const Problem& problem) {
  if (const Variant* const variant = implementation_.peek().find(problem)) {
    return *variant;
  }
  return of_this_process().miss(problem);
}

const Device& Runtime::device() const noexcept { return *implementation_.peek().device; }

Runtime::Counters Runtime::counters() const noexcept {
  const KernelProvider::Counters& counters = implementation_.peek().provider_->counters();
  return {.misses = implementation_.peek().misses,
          .compiles = counters.compiles,
          .loads = counters.loads,
          .healed = counters.healed};
}

void Runtime::drain() { of_this_process().drain(); }

void Runtime::stop_background() { of_this_process().jobs_->stop(); }

}  // namespace attentune
