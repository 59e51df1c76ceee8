// The way of a lookup: the tables, and on a miss one thread of the class that resolves while the others wait.
#include <exception>
#include <utility>

#include "generator/bucket.h"
#include "generator/error.h"
#include "generator/kernel_family.h"
#include "generator/key.h"
#include "runtime/runtime_implementation.h"

namespace attentune {

Runtime::Implementation::Implementation(std::shared_ptr<const Device> on, std::shared_ptr<Store> store,
                                        RuntimeOptions options)
    : device(std::move(on)), store_(std::move(store)), options_(std::move(options)) {
  if (store_) {
    writer_ = std::make_unique<BackgroundWriter>(store_, options_.log);
  }
  provider_ = std::make_unique<KernelProvider>(device, store_, writer_.get(),
                                               [this](const std::string_view sentence) { log(std::string(sentence)); });
}

Runtime::Implementation::Implementation(ForkedChild, const Implementation& parents)
    : Implementation(parents.device, nullptr, parents.options_) {
  parents.classes_.for_each([&](const ClassEntry& theirs) {
    KernelClass& own = class_of(theirs.value->problem);
    theirs.value->variants.for_each([&](const VariantEntry& entry) { publish(own, entry.key, entry.variant); });
  });
  if (parents.store_) {
    log("a process forked from the one that opened the Store " + parents.store_->path() +
        " leaves it alone: what it compiles is not kept; create the runtime after the fork to keep it");
  }
}

// Jobs use everything else, so they end first.
Runtime::Implementation::~Implementation() { jobs_->stop(); }

void Runtime::Implementation::drain() {
  jobs_->drain();
  if (writer_) {
    writer_->maintain();
    if (!writer_->flush()) {
      throw Error(Status::store_failed, "what was learned is in memory only: " + writer_->failure());
    }
  }
}

const Variant* Runtime::Implementation::find(const Problem& problem) const noexcept {
  const std::optional<BucketKey> key = bucket_key(problem);
  if (!key) {
    return nullptr;
  }
  const ClassEntry* const entry = classes_.find(
      class_hash(problem), [&](const ClassEntry& other) { return same_class(other.value->problem, problem); });
  return entry == nullptr ? nullptr : entry->value->find(*key);
}

KernelClass& Runtime::Implementation::class_of(const Problem& problem) {
  const std::uint64_t hash = class_hash(problem);
  const auto same = [&](const ClassEntry& other) { return same_class(other.value->problem, problem); };
  const std::lock_guard lock(classes_mutex_);
  if (const ClassEntry* const found = classes_.find(hash, same)) {
    return *found->value;
  }
  auto entry = std::make_unique<ClassEntry>();
  entry->hash = hash;
  entry->value = std::make_unique<KernelClass>(problem);
  return *classes_.put(std::move(entry), same).value;
}

// Sizes of a bucket are at most its representative's, and limits are upper ones. So where the representative is served,
// the whole bucket is, and a hit need not ask; where it is not, there is no entry to hit.
void Runtime::Implementation::require_served(const Problem& problem) const {
  const Problem largest = representative(problem);
  if (is_served(largest, device->arch())) {
    return;
  }
  static_cast<void>(family_for(problem, device->arch()));  // its own reason, if it has one
  static_cast<void>(family_for(largest, device->arch()));
}

const Variant& Runtime::Implementation::miss(const Problem& problem) {
  if (const std::optional<Refusal> reason = refusal(problem)) {
    throw RefusalError(*reason);
  }
  const std::optional<BucketKey> key = bucket_key(problem);
  if (!key) {
    throw Error(Status::internal, "a sound problem has no bucket: " + to_text(problem));
  }
  require_served(problem);
  KernelClass& owner = class_of(problem);

  std::unique_lock lock(owner.mutex);
  while (true) {
    if (const Variant* const variant = owner.find(*key)) {
      return *variant;
    }
    const std::shared_ptr<ClassFlight> other = owner.flight;
    if (!other) {
      break;
    }
    owner.landed.wait(lock, [&] { return other->landed; });
    if (other->failure && other->key == *key) {
      throw Error(*other->failure);
    }
  }
  const auto flight = std::make_shared<ClassFlight>(ClassFlight{.key = *key, .landed = false, .failure = {}});
  owner.flight = flight;
  lock.unlock();

  const auto land = [&](std::unique_ptr<const Error> failure) {
    const std::lock_guard landing(owner.mutex);
    flight->failure = std::move(failure);
    flight->landed = true;
    owner.flight.reset();
    owner.landed.notify_all();
  };
  Resolution resolution;
  const Variant* variant = nullptr;
  try {
    ++misses;
    resolution = resolve(owner, representative(problem));
    resolution.variant.bucket = bucket_of(problem);
    variant = &publish(owner, *key, resolution.variant).variant;
  } catch (const Error& error) {
    land(std::make_unique<const Error>(error.status(), error.what()));
    record(problem, nullptr);
    throw;
  } catch (const std::exception& error) {
    land(std::make_unique<const Error>(Status::internal, error.what()));
    throw;
  }
  land(nullptr);
  follow_up(owner, *key, problem, resolution);
  return *variant;
}

const VariantEntry& Runtime::Implementation::publish(KernelClass& owner, const BucketKey& key, Variant variant) {
  auto entry = std::make_unique<VariantEntry>();
  entry->hash = key.hash;
  entry->key = key;
  entry->variant = std::move(variant);
  const std::lock_guard lock(owner.mutex);
  return owner.variants.put(std::move(entry), [&](const VariantEntry& other) { return other.key.sizes == key.sizes; });
}

void Runtime::Implementation::log(const std::string& sentence) const noexcept {
  if (!options_.log) {
    return;
  }
  try {
    options_.log(sentence);
  } catch (...) {
    return;  // a caller's function threw; a sentence is not worth a failed lookup
  }
}

}  // namespace attentune
