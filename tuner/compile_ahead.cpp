#include "tuner/compile_ahead.h"

#include <algorithm>
#include <exception>
#include <string>
#include <utility>

#include "generator/error.h"

namespace attentune {

CompileAhead::CompileAhead(std::vector<FamilyConfig> configs, Build build, const int threads, const std::size_t ahead)
    : configs_(std::move(configs)), build_(std::move(build)), ahead_(std::max<std::size_t>(ahead, 1)) {
  const auto count = std::min(static_cast<std::size_t>(std::max(threads, 1)), configs_.size());
  threads_.reserve(count);
  try {
    while (threads_.size() < count) {
      threads_.emplace_back([this] { work(); });
    }
  } catch (const std::exception& failure) {
    // Those that began would be joined without having been told to end, so an exception may only leave when none did.
    if (threads_.empty()) {
      throw Error(Status::out_of_memory, std::string("no thread can be started to compile on (") + failure.what() +
                                             "); raise the limits on processes and memory");
    }
  }
}

CompileAhead::~CompileAhead() {
  const std::lock_guard lock(mutex_);
  stopping_ = true;
  changed_.notify_all();
}

void CompileAhead::work() {
  std::unique_lock lock(mutex_);
  for (;;) {
    changed_.wait(
        lock, [&] { return stopping_ || begun_ == configs_.size() || (pauses_ == 0 && begun_ < delivered_ + ahead_); });
    if (stopping_ || begun_ == configs_.size()) {
      return;
    }
    const std::size_t mine = begun_++;
    ++running_;
    lock.unlock();
    Built built = build_(configs_[mine]);
    lock.lock();
    --running_;
    done_.emplace(mine, std::move(built));
    changed_.notify_all();
  }
}

std::optional<Built> CompileAhead::next() {
  std::unique_lock lock(mutex_);
  if (delivered_ == configs_.size()) {
    return std::nullopt;
  }
  changed_.wait(lock, [&] { return done_.contains(delivered_); });
  Built built = std::move(done_.extract(delivered_).mapped());
  ++delivered_;
  changed_.notify_all();
  return built;
}

CompileAhead::Pause::Pause(CompileAhead* const owner) : owner_(owner) {
  if (owner_ == nullptr) {
    return;
  }
  std::unique_lock lock(owner_->mutex_);
  ++owner_->pauses_;
  owner_->changed_.wait(lock, [&] { return owner_->running_ == 0; });
}

CompileAhead::Pause::~Pause() {
  if (owner_ == nullptr) {
    return;
  }
  const std::lock_guard lock(owner_->mutex_);
  --owner_->pauses_;
  owner_->changed_.notify_all();
}

}  // namespace attentune
