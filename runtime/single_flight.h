// SingleFlight: of several threads that want the same work done, one does it and the others wait for its value.
#pragma once

#include <condition_variable>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <utility>

#include "generator/error.h"

namespace attentune {

template <typename Key, typename Value>
class SingleFlight {
 public:
  // work() runs without a lock. What it throws reaches its own thread as it is and every waiting one as an Error of the
  // same status and sentence. Nothing is remembered once the last of them has left.
  template <typename Work>
  Value run(const Key& key, const Work& work) {
    std::unique_lock lock(mutex_);
    if (const auto found = flights_.find(key); found != flights_.end()) {
      const std::shared_ptr<Flight> flight = found->second;
      landed_.wait(lock, [&] { return flight->landed; });
      if (const std::optional<Value>& value = flight->value) {
        return *value;
      }
      throw Error(*flight->failure);
    }
    const auto flight = std::make_shared<Flight>();
    flights_.emplace(key, flight);
    lock.unlock();
    try {
      Value value = work();
      land(key, *flight, [&] { flight->value = value; });
      return value;
    } catch (const Error& error) {
      land(key, *flight, [&] { flight->failure = std::make_unique<const Error>(error.status(), error.what()); });
      throw;
    } catch (const std::exception& error) {
      land(key, *flight, [&] { flight->failure = std::make_unique<const Error>(Status::internal, error.what()); });
      throw;
    }
  }

 private:
  struct Flight {
    bool landed = false;
    std::optional<Value> value;
    std::unique_ptr<const Error> failure;
  };

  template <typename Set>
  void land(const Key& key, Flight& flight, const Set& set) {
    const std::lock_guard lock(mutex_);
    set();
    flight.landed = true;
    flights_.erase(key);
    landed_.notify_all();
  }

  std::mutex mutex_;
  std::condition_variable landed_;
  std::map<Key, std::shared_ptr<Flight>> flights_;
};

}  // namespace attentune
