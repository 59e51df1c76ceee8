// CallerExecutor: an attentune_executor as an Executor.
#pragma once

#include <cstdint>

#include "runtime/executor.h"
#include "tuner/abi/attentune.h"

namespace attentune::abi {

class CallerExecutor final : public Executor {
 public:
  // Copies. Throws Error(misuse) for one without workers or function.
  explicit CallerExecutor(const attentune_executor* executor);

  [[nodiscard]] int workers() const noexcept override { return executor_.workers; }
  // Throws Error(misuse) when the caller's function left tasks out, repeated some, or used a worker number that is
  // none: then results are incomplete, but no memory of another worker was touched.
  void parallel_for(std::int64_t tasks, std::int64_t grain, TaskBody body, void* context) override;

 private:
  attentune_executor executor_;
};

}  // namespace attentune::abi
