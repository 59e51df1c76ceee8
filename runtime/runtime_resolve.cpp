// What serves a bucket that is not in the tables (DESIGN promise 4): its Winner, a neighbour's, a stale one, a Kernel
// of the class, the default Config; and what the background does about it.
#include <exception>
#include <limits>
#include <utility>

#include "generator/bucket.h"
#include "generator/error.h"
#include "generator/kernel_family.h"
#include "generator/key.h"
#include "runtime/runtime_implementation.h"

namespace attentune {

std::shared_ptr<const KnownWinners> Runtime::Implementation::winners_of(KernelClass& owner) {
  {
    const std::lock_guard lock(owner.mutex);
    if (owner.winners) {
      return owner.winners;
    }
  }
  auto winners =
      store_ ? std::make_shared<const KnownWinners>(*store_, owner.problem, *device, options_.measurement_policy)
             : std::make_shared<const KnownWinners>();
  const std::lock_guard lock(owner.mutex);
  owner.winners = std::move(winners);
  return owner.winners;
}

namespace {

// What a verification has to know of a Kernel at hand; not its Source.
Rendering rendering_of(const Kernel& kernel, const Problem& problem) {
  return {.family = find_family(kernel.binary().family),
          .problem = problem,
          .config = kernel.config(),
          .source = {},
          .key = kernel.binary().key};
}

}  // namespace

Trust Runtime::Implementation::trust_of(const Rendering& rendering, const Kernel& kernel, const Trust before) {
  if (!options_.strict || before != Trust::compiled_only) {
    return before;
  }
  const std::string fault = provider_->probe(rendering, kernel);
  if (!fault.empty()) {
    throw Error(Status::wrong, "the kernel of config '" + to_text(rendering.config) + "' fails verification: " + fault +
                                   "; tune the problem to find one that passes: " + tune_command(rendering.problem));
  }
  return Trust::verified_here;
}

std::optional<Variant> Runtime::Implementation::from_winner(const UsableWinner& winner, const Problem& problem,
                                                            const KernelProvider::Compile compile) {
  try {
    Variant variant;
    variant.kernel = provider_->obtain(winner.rendering, compile, winner.current);
    if (!variant.kernel) {
      return std::nullopt;
    }
    // Rows are found by this device's identity, so what was verified was verified here.
    variant.trust =
        trust_of(winner.rendering, *variant.kernel, winner.current ? Trust::verified_here : Trust::compiled_only);
    variant.provenance = !winner.current                       ? Provenance::stale
                         : winner.bucket == bucket_of(problem) ? Provenance::exact_bucket
                                                               : Provenance::nearest_bucket;
    variant.tuned_ms = winner.winner.measurement.time_ms;
    return variant;
  } catch (const Error& error) {
    log("the stored winner '" + winner.winner.measurement.config + "' cannot be used: " + error.what());
    return std::nullopt;
  }
}

std::optional<Variant> Runtime::Implementation::of_same_class(KernelClass& owner, const Rendering& own_default,
                                                              const Problem& problem) {
  const Bucket bucket = bucket_of(problem);
  const std::lock_guard lock(owner.mutex);
  const Variant* best = nullptr;
  double best_distance = std::numeric_limits<double>::infinity();
  for (const std::unique_ptr<const VariantEntry>& entry : owner.variants.history()) {
    const Variant& variant = entry->variant;
    // The bucket's own default needs no compile when a neighbour has the same: that is the best there is.
    const bool own = variant.kernel->binary().key == own_default.key;
    const double away = own ? -1 : distance(variant.bucket, bucket);
    if (away < best_distance) {
      best = &variant;
      best_distance = away;
    }
  }
  if (best == nullptr) {
    return std::nullopt;
  }
  Variant variant = *best;
  variant.kernel =
      best_distance < 0 ? variant.kernel->with_config(own_default.config) : variant.kernel->relaunched(problem);
  // Other launch choices may enter code that nothing has verified.
  if (variant.kernel->config() != best->kernel->config()) {
    variant.trust = Trust::compiled_only;
  }
  variant.provenance = Provenance::default_config;
  variant.tuned_ms = 0;
  return variant;
}

// `problem` is the representative of its bucket.
Runtime::Implementation::Resolution Runtime::Implementation::resolve(KernelClass& owner, const Problem& problem) {
  using Compile = KernelProvider::Compile;
  const bool may_compile = options_.policy != MissPolicy::fail;
  const Compile compile = may_compile ? Compile::allowed : Compile::forbidden;
  const std::shared_ptr<const KnownWinners> winners = winners_of(owner);

  Resolution resolution;
  const std::optional<UsableWinner> exact = winners->exact(problem, *device);
  if (exact && exact->current) {
    if (std::optional<Variant> variant = from_winner(*exact, problem, compile)) {
      resolution.variant = *std::move(variant);
      return resolution;
    }
  }
  resolution.tune = options_.policy == MissPolicy::tune;
  if (const std::optional<UsableWinner> nearest = winners->nearest_current(problem, *device)) {
    if (std::optional<Variant> variant = from_winner(*nearest, problem, compile)) {
      resolution.variant = *std::move(variant);
      return resolution;
    }
  }

  const KernelFamily& family = family_for(problem, device->arch());
  const Rendering own_default =
      render(family, problem, family.default_config(problem, device->arch()), device->arch(), device->compiler());
  const std::optional<UsableWinner> stale = exact && !exact->current ? exact : winners->nearest_stale(problem, *device);
  // Once the class has a Kernel, nobody waits for a compile: the better one comes from the background.
  std::optional<Variant> at_hand = of_same_class(owner, own_default, problem);
  if (at_hand) {
    at_hand->trust = trust_of(rendering_of(*at_hand->kernel, problem), *at_hand->kernel, at_hand->trust);
    const bool has_own = at_hand->kernel->binary().key == own_default.key;
    if (may_compile && stale) {
      resolution.better = stale->rendering;
      resolution.better_is_stale = true;
    } else if (options_.policy == MissPolicy::compile && !has_own) {
      resolution.better = own_default;
    }
    resolution.variant = *std::move(at_hand);
    return resolution;
  }
  if (stale) {
    if (std::optional<Variant> variant = from_winner(*stale, problem, compile)) {
      resolution.variant = *std::move(variant);
      return resolution;
    }
  }
  resolution.variant.kernel = provider_->obtain(own_default, compile, false);
  if (!resolution.variant.kernel) {
    throw Error(Status::miss, "no stored kernel serves '" + to_text(problem) +
                                  "' and the policy is fail; tune it with: " + tune_command(problem));
  }
  resolution.variant.trust = trust_of(own_default, *resolution.variant.kernel, Trust::compiled_only);
  resolution.variant.provenance = Provenance::default_config;
  return resolution;
}

void Runtime::Implementation::record(const Problem& problem, const Variant* const variant) {
  const std::string command = tune_command(problem);
  if (variant != nullptr) {
    log("'" + to_text(problem) + "' is served by " + std::string(name(variant->provenance)) + " (" +
        to_text(variant->kernel->config()) + "); to tune it: " + command);
  }
  if (writer_) {
    Miss row;
    row.class_text = class_text(problem);
    row.bucket_text = to_text(bucket_of(problem));
    row.device = to_text(device->identity());
    row.problem = to_text(problem);
    row.command = command;
    writer_->record_miss(std::move(row));
    writer_->maintain();
  }
}

void Runtime::Implementation::follow_up(KernelClass& owner, const BucketKey& key, const Problem& problem,
                                        Resolution& resolution) {
  if (resolution.variant.provenance != Provenance::exact_bucket) {
    record(problem, &resolution.variant);
  }
  if ((resolution.better || resolution.tune) && options_.before_background) {
    std::call_once(background_begins_, options_.before_background);
  }
  if (resolution.better) {
    jobs_->push([this, &owner, key, problem, better = *std::move(resolution.better),
                 stale = resolution.better_is_stale] { compile_better(owner, key, problem, better, stale); });
  }
  if (resolution.tune) {
    jobs_->push([this, &owner, key, problem] { start_tune(owner, key, problem); });
  }
}

void Runtime::Implementation::compile_better(KernelClass& owner, const BucketKey& key, const Problem& problem,
                                             const Rendering& better, const bool stale) {
  try {
    Variant variant{.bucket = bucket_of(problem),
                    .kernel = provider_->obtain(better, KernelProvider::Compile::allowed, false)};
    variant.trust = trust_of(better, *variant.kernel, Trust::compiled_only);
    variant.provenance = stale ? Provenance::stale : Provenance::default_config;
    publish(owner, key, std::move(variant));
  } catch (const std::exception& error) {
    log("in the background, '" + to_text(better.config) + "' for '" + to_text(problem) + "' failed: " + error.what());
  }
}

void Runtime::Implementation::start_tune(KernelClass& owner, const BucketKey& key, const Problem& problem) {
  std::string reason = "there is no tuner, or no store to keep its results";
  if (options_.miss_handler != nullptr && store_) {
    try {
      // The handler may call back when this Runtime is gone: then there is no queue left.
      const std::weak_ptr<JobQueue> jobs = jobs_;
      options_.miss_handler->tune({.problem = representative(problem), .command = tune_command(problem)},
                                  [this, jobs, &owner, key, problem] {
                                    if (const std::shared_ptr<JobQueue> alive = jobs.lock()) {
                                      alive->push([this, &owner, key, problem] { look_again(owner, key, problem); });
                                    }
                                  });
      return;
    } catch (const std::exception& error) {
      reason = error.what();
    }
  }
  if (!told_no_handler_.exchange(true)) {
    log("policy tune acts as compile: " + reason);
  }
  const Problem bucket = representative(problem);
  const KernelFamily& family = family_for(bucket, device->arch());
  const Config config = family.default_config(bucket, device->arch());
  compile_better(owner, key, problem, render(family, bucket, config, device->arch(), device->compiler()), false);
}

void Runtime::Implementation::look_again(KernelClass& owner, const BucketKey& key, const Problem& problem) {
  try {
    if (!store_) {
      return;
    }
    auto winners = std::make_shared<const KnownWinners>(*store_, owner.problem, *device, options_.measurement_policy);
    {
      const std::lock_guard lock(owner.mutex);
      owner.winners = winners;
    }
    const std::optional<UsableWinner> exact = winners->exact(representative(problem), *device);
    if (!exact || !exact->current) {
      return;
    }
    if (std::optional<Variant> variant = from_winner(*exact, problem, KernelProvider::Compile::allowed)) {
      variant->bucket = bucket_of(problem);
      publish(owner, key, *std::move(variant));
    }
  } catch (const std::exception& error) {
    log("the new winner of '" + to_text(problem) + "' cannot be read: " + error.what());
  }
}

}  // namespace attentune
