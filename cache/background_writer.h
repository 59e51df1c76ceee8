// BackgroundWriter: one thread that writes to a Store, so that the library never writes on its caller's thread.
#pragma once

#include <cstddef>
#include <memory>
#include <string>

#include "cache/records.h"
#include "cache/store.h"

namespace attentune {

// Every method may be called from any thread and, but for the constructor and failure(), throws nothing. Jobs that fail
// stay in memory and are tried again with the next job and at flush(); the first failure is reported once through
// `message`.
class BackgroundWriter {
 public:
  static constexpr std::size_t default_capacity = 1024;

  // The thread starts with the first job.
  explicit BackgroundWriter(std::shared_ptr<Store> store, MessageSink message = {},
                            std::size_t capacity = default_capacity);
  // Writes what is queued, once, waiting at most 2 s for other processes, and stops.
  ~BackgroundWriter();
  BackgroundWriter(const BackgroundWriter&) = delete;
  BackgroundWriter& operator=(const BackgroundWriter&) = delete;

  // Each takes a mutex for a moment. False: the queue is full and the job was dropped (counted, reported once).
  // A Binary that was compiled for use, and its Source.
  bool keep_binary(Binary binary, std::string source_text) noexcept;
  // Misses of one class, bucket and device that wait together become one job.
  bool record_miss(Miss miss) noexcept;
  // Writes what lookups noticed (Store::maintain).
  bool maintain() noexcept;

  // Returns when every job queued before the call was tried. True: all of them are in the Store.
  bool flush() noexcept;
  // After flush() was false: why, and the next step.
  [[nodiscard]] std::string failure() const;

  // Jobs not in the Store yet: queued, or kept after a failure.
  [[nodiscard]] std::size_t pending() const noexcept;
  [[nodiscard]] std::size_t dropped() const noexcept;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace attentune
