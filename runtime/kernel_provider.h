// KernelProvider: from a Config to a loaded Kernel, by the cheapest way: already loaded, stored, compiled now.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>

#include "cache/background_writer.h"
#include "cache/store.h"
#include "runtime/kernel.h"
#include "runtime/rendering.h"
#include "runtime/single_flight.h"

namespace attentune {

class KernelProvider {
 public:
  using Log = std::function<void(std::string_view)>;
  enum class Compile : std::uint8_t { allowed, forbidden };

  // `store` and `writer` may be null.
  KernelProvider(std::shared_ptr<const Device> device, std::shared_ptr<Store> store, BackgroundWriter* writer, Log log);

  // The Kernel; nullptr when it would have to be compiled and must not. `expected`: the Store should have its Binary,
  // so that a compile heals a damaged one. Threads that want the same Binary compile it once; no lock is held
  // meanwhile. Throws Error(compile_failed).
  [[nodiscard]] std::shared_ptr<const Kernel> obtain(const Rendering& rendering, Compile compile, bool expected);

  // Runs the probe set of the class, once a Binary and its launch choices; "" when it passed, else what is wrong.
  // Throws what a launch throws.
  [[nodiscard]] std::string probe(const Rendering& rendering, const Kernel& kernel);

  struct Counters {
    std::atomic<std::uint64_t> compiles{0};
    std::atomic<std::uint64_t> loads{0};
    std::atomic<std::uint64_t> healed{0};
  };
  [[nodiscard]] const Counters& counters() const noexcept { return counters_; }

 private:
  [[nodiscard]] std::shared_ptr<const Kernel> loaded(const std::string& key);
  [[nodiscard]] std::shared_ptr<const Kernel> make(const Rendering& rendering, Compile compile, bool expected);
  [[nodiscard]] std::shared_ptr<const Kernel> from_store(const Rendering& rendering, bool& damaged);
  void remember(const Rendering& rendering, const Binary& binary);

  std::shared_ptr<const Device> device_;
  std::shared_ptr<Store> store_;
  BackgroundWriter* writer_;
  Log log_;
  Counters counters_;
  SingleFlight<std::string, std::shared_ptr<const Kernel>> flights_;
  SingleFlight<std::string, std::string> probes_in_flight_;  // by binary key and Config
  std::mutex mutex_;
  std::map<std::string, std::shared_ptr<const Kernel>> kernels_;  // by binary key
  std::map<std::string, std::string> verdicts_;                   // by binary key and Config
};

}  // namespace attentune
