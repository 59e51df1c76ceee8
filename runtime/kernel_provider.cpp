#include "runtime/kernel_provider.h"

#include <utility>

#include "generator/error.h"
#include "runtime/reference/runner.h"
#include "runtime/reference/verify.h"

namespace attentune {

KernelProvider::KernelProvider(std::shared_ptr<const Device> device, std::shared_ptr<Store> store,
                               BackgroundWriter* const writer, Log log)
    : device_(std::move(device)), store_(std::move(store)), writer_(writer), log_(std::move(log)) {}

std::shared_ptr<const Kernel> KernelProvider::loaded(const std::string& key) {
  const std::lock_guard lock(mutex_);
  const auto found = kernels_.find(key);
  return found == kernels_.end() ? nullptr : found->second;
}

std::shared_ptr<const Kernel> KernelProvider::obtain(const Rendering& rendering, const Compile compile,
                                                     const bool expected) {
  std::shared_ptr<const Kernel> kernel = loaded(rendering.key);
  if (!kernel) {
    kernel = flights_.run(rendering.key, [&] { return make(rendering, compile, expected); });
  }
  if (!kernel && compile == Compile::allowed) {
    // We waited for a thread that must not compile.
    kernel = flights_.run(rendering.key, [&] { return make(rendering, compile, expected); });
  }
  if (!kernel || kernel->config() == rendering.config) {
    return kernel;
  }
  return kernel->with_config(rendering.config);
}

std::shared_ptr<const Kernel> KernelProvider::make(const Rendering& rendering, const Compile compile,
                                                   const bool expected) {
  // Another thread may have landed between the look and the flight.
  if (std::shared_ptr<const Kernel> kernel = loaded(rendering.key)) {
    return kernel;
  }
  bool damaged = false;
  std::shared_ptr<const Kernel> kernel = from_store(rendering, damaged);
  if (!kernel) {
    if (compile == Compile::forbidden) {
      return nullptr;
    }
    Binary binary = device_->compiler().compile(rendering.source);
    binary.key = rendering.key;
    binary.family = rendering.family->name();
    binary.launches = rendering.source.launches;
    ++counters_.compiles;
    kernel = Kernel::load(device_, rendering.problem, rendering.config, std::move(binary));
    if (damaged || (expected && store_)) {
      ++counters_.healed;
      log_("the stored binary " + rendering.key.substr(0, 12) + " was damaged or missing; it was compiled again");
    }
    remember(rendering, kernel->binary());
  }
  ++counters_.loads;
  const std::lock_guard lock(mutex_);
  return kernels_.emplace(rendering.key, std::move(kernel)).first->second;
}

std::shared_ptr<const Kernel> KernelProvider::from_store(const Rendering& rendering, bool& damaged) {
  std::optional<Binary> binary = store_ ? store_->load_binary(rendering.key) : std::nullopt;
  if (!binary) {
    return nullptr;
  }
  // Rules are part of what the key was made of; the ones just rendered need not be trusted to a file.
  binary->launches = rendering.source.launches;
  try {
    return Kernel::load(device_, rendering.problem, rendering.config, *std::move(binary));
  } catch (const Error& error) {
    if (error.status() != Status::device_failed) {
      throw;
    }
    damaged = true;
    return nullptr;
  }
}

void KernelProvider::remember(const Rendering& rendering, const Binary& binary) {
  if (writer_ == nullptr) {
    return;
  }
  writer_->keep_binary(binary, rendering.source.text);
}

std::string KernelProvider::probe(const Rendering& rendering, const Kernel& kernel) {
  const std::string what = rendering.key + ' ' + to_text(kernel.config());
  return probes_in_flight_.run(what, [&]() -> std::string {
    {
      const std::lock_guard lock(mutex_);
      if (const auto found = verdicts_.find(what); found != verdicts_.end()) {
        return found->second;
      }
    }
    const std::unique_ptr<Executor> pool = make_pool(device_->arch().is_host() ? device_->workers() : 0);
    Verifier verifier(*pool, device_->memory());
    const Verdict verdict = verifier.verify_class(rendering.problem, runner(kernel.shared_from_this()));
    const std::lock_guard lock(mutex_);
    return verdicts_.emplace(what, verdict.passed ? std::string{} : verdict.sentence).first->second;
  });
}

}  // namespace attentune
