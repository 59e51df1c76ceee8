// The tables of the hot path: the lock-free hash table and the fixed bucket key.
#include "runtime/lookup_table.h"

#include <doctest/doctest.h>

#include <atomic>
#include <chrono>
#include <cstdint>
#include <memory>
#include <random>
#include <thread>
#include <vector>

#include "generator/bucket.h"
#include "runtime/bucket_key.h"
#include "runtime/single_flight.h"
#include "tests/runtime/allocation_count.h"

using namespace attentune;

namespace {

struct Entry {
  std::uint64_t hash = 0;
  std::uint64_t key = 0;
  std::uint64_t value = 0;
};

std::uint64_t weak_hash(const std::uint64_t key) { return key % 7; }

void put(LookupTable<Entry>& table, const std::uint64_t key, const std::uint64_t value) {
  table.put(std::make_unique<const Entry>(Entry{weak_hash(key), key, value}),
            [&](const Entry& other) { return other.key == key; });
}

const Entry* find(const LookupTable<Entry>& table, const std::uint64_t key) {
  return table.find(weak_hash(key), [&](const Entry& other) { return other.key == key; });
}

}  // namespace

TEST_CASE("lookup table: adds, replaces and grows, even when all hashes collide") {
  LookupTable<Entry> table;
  CHECK(find(table, 1) == nullptr);
  for (std::uint64_t key = 0; key < 300; ++key) {
    put(table, key, key);
  }
  put(table, 5, 55);
  CHECK(table.size() == 300);
  for (std::uint64_t key = 0; key < 300; ++key) {
    REQUIRE(find(table, key) != nullptr);
    CHECK(find(table, key)->value == (key == 5 ? 55 : key));
  }
  CHECK(find(table, 300) == nullptr);
}

TEST_CASE("lookup table: readers see whole entries while a writer adds and replaces") {
  LookupTable<Entry> table;
  constexpr std::uint64_t keys = 2000;
  std::atomic<bool> done{false};
  std::atomic<std::uint64_t> torn{0};
  std::vector<std::thread> readers;
  for (int n = 0; n < 3; ++n) {
    readers.emplace_back([&, n] {
      std::mt19937 random(static_cast<unsigned>(n));
      while (!done) {
        const std::uint64_t key = random() % keys;
        const Entry* const entry = find(table, key);
        if (entry != nullptr && entry->value != key && entry->value != key + 1) {
          ++torn;
        }
      }
    });
  }
  for (std::uint64_t key = 0; key < keys; ++key) {
    put(table, key, key);
    put(table, key / 2, key / 2 + 1);
  }
  done = true;
  for (std::thread& reader : readers) {
    reader.join();
  }
  CHECK(torn == 0);
  CHECK(table.size() == keys);
}

TEST_CASE("bucket key: equal iff the buckets are") {
  std::mt19937_64 random(7);
  const auto size = [&] { return static_cast<std::int64_t>(random() % 40); };
  const Problem base = parse_problem("dtype=f32 heads=4/2 head_dim=8 seq=5/7 mask=window(3,0)|sink(2)");
  const auto shuffled = [&] {
    Problem problem = base;
    problem.batch = size() + 1;
    problem.heads_kv = size() + 1;
    problem.heads_q = 2 * problem.heads_kv;
    problem.len_q = size();
    problem.len_kv = size();
    problem.mask.arguments = {size(), size(), size()};
    return problem;
  };
  int equal = 0;
  for (int n = 0; n < 20'000; ++n) {
    const Problem a = shuffled();
    Problem b = n % 2 == 0 ? shuffled() : representative(a);
    b.mask.arguments[2] = size();  // n of sink is in no key
    const auto key_a = bucket_key(a);
    const auto key_b = bucket_key(b);
    REQUIRE(key_a);
    REQUIRE(key_b);
    REQUIRE((key_a->sizes == key_b->sizes) == (bucket_of(a) == bucket_of(b)));
    REQUIRE((*key_a == *key_b) == (key_a->sizes == key_b->sizes));
    equal += *key_a == *key_b ? 1 : 0;
  }
  CHECK(equal >= 10'000);
}

TEST_CASE("bucket key: none for sizes no problem has, and never an allocation") {
  Problem problem = parse_problem("dtype=f32 heads=4/2 head_dim=8 seq=5/7 mask=window(3,0)|sink(2)");
  const std::uint64_t before = test::allocations_of_thread();
  const bool found = bucket_key(problem).has_value();
  CHECK(test::allocations_of_thread() == before);
  CHECK(found);
  for (std::int64_t Problem::* const field : {&Problem::batch, &Problem::len_q, &Problem::len_kv, &Problem::heads_kv}) {
    Problem bad = problem;
    bad.*field = -1;
    CHECK(!bucket_key(bad));
  }
  problem.heads_kv = 0;
  CHECK(!bucket_key(problem));
}

TEST_CASE("single flight: one works, the others get its value or its failure") {
  SingleFlight<int, int> flights;
  std::atomic<int> calls{0};
  std::atomic<int> failures{0};
  const auto together = [](const auto& body) {
    std::vector<std::thread> threads;
    for (int n = 0; n < 6; ++n) {
      threads.emplace_back(body);
    }
    for (std::thread& thread : threads) {
      thread.join();
    }
  };
  std::atomic<int> arrived{0};
  together([&] {
    ++arrived;
    const int value = flights.run(1, [&] {
      ++calls;
      while (arrived < 6) {
        std::this_thread::yield();
      }
      std::this_thread::sleep_for(std::chrono::milliseconds(20));
      return 42;
    });
    failures += value == 42 ? 0 : 1;
  });
  CHECK(calls == 1);
  CHECK(failures == 0);

  together([&] {
    try {
      static_cast<void>(flights.run(2, [&]() -> int {
        std::this_thread::sleep_for(std::chrono::milliseconds(20));
        throw Error(Status::compile_failed, "no");
      }));
    } catch (const Error& error) {
      failures += error.status() == Status::compile_failed ? 1 : 0;
    }
  });
  CHECK(failures == 6);
  CHECK(flights.run(2, [] { return 3; }) == 3);
}
