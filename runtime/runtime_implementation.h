// What stands behind Runtime: the tables, and the way from a miss to a Variant.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <string>

#include "cache/background_writer.h"
#include "runtime/job_queue.h"
#include "runtime/kernel_class.h"
#include "runtime/kernel_provider.h"
#include "runtime/runtime.h"

namespace attentune {

struct Runtime::Implementation {
 public:
  Implementation(std::shared_ptr<const Device> device, std::shared_ptr<Store> store, RuntimeOptions options);
  // Without a Store, and with what stands in the parent's tables: reading those needs no lock.
  struct ForkedChild {};
  Implementation(ForkedChild, const Implementation& parents);
  ~Implementation();

  // nullptr when the bucket is not in the tables.
  [[nodiscard]] const Variant* find(const Problem& problem) const noexcept;
  [[nodiscard]] const Variant& miss(const Problem& problem);
  void drain();

  const std::shared_ptr<const Device> device;
  std::atomic<std::uint64_t> misses{0};

 private:
  // What a miss came to, and what the background should do about it.
  struct Resolution {
    Variant variant;
    std::optional<Rendering> better;  // to be compiled in the background and put in the variant's place
    bool better_is_stale = false;     // better is a stale Winner's Config, not the bucket's default
    bool tune = false;
  };

  // Throws RefusalError unless all of the problem's bucket is served here.
  void require_served(const Problem& problem) const;
  KernelClass& class_of(const Problem& problem);
  const VariantEntry& publish(KernelClass& owner, const BucketKey& key, Variant variant);
  std::shared_ptr<const KnownWinners> winners_of(KernelClass& owner);

  Resolution resolve(KernelClass& owner, const Problem& problem);
  std::optional<Variant> from_winner(const UsableWinner& winner, const Problem& problem,
                                     KernelProvider::Compile compile);
  std::optional<Variant> of_same_class(KernelClass& owner, const Rendering& own_default, const Problem& problem);
  // Applies strict; throws Error(wrong).
  Trust trust_of(const Rendering& rendering, const Kernel& kernel, Trust before);

  // The background.
  void follow_up(KernelClass& owner, const BucketKey& key, const Problem& problem, Resolution& resolution);
  void compile_better(KernelClass& owner, const BucketKey& key, const Problem& problem, const Rendering& better,
                      bool stale);
  void start_tune(KernelClass& owner, const BucketKey& key, const Problem& problem);
  void look_again(KernelClass& owner, const BucketKey& key, const Problem& problem);
  void record(const Problem& problem, const Variant* variant);
  void log(const std::string& sentence) const noexcept;

  const std::shared_ptr<Store> store_;
  const RuntimeOptions options_;
  std::unique_ptr<BackgroundWriter> writer_;
  std::unique_ptr<KernelProvider> provider_;
  std::mutex classes_mutex_;
  LookupTable<ClassEntry> classes_;  // find() alone needs no lock
  std::atomic<bool> told_no_handler_{false};
  std::once_flag background_begins_;
  std::shared_ptr<JobQueue> jobs_ = std::make_shared<JobQueue>();

  friend class Runtime;
};

}  // namespace attentune
