// LookupTable: a hash table of immutable entries that many threads read without a lock while one writes.
//
// Readers follow one atomic pointer to a table of atomic slots. A slot goes from null to an entry, or from an entry to
// the one that replaces it; a full table is replaced by one of twice the size. Old tables and replaced entries live as
// long as the LookupTable, because a reader may still be in them: together the old tables take no more than the newest.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <utility>
#include <vector>

namespace attentune {

// Entry has a member `std::uint64_t hash`.
template <typename Entry>
class LookupTable {
 public:
  LookupTable() { grow(first_slots); }

  // The entry of that hash for which `same(entry)` holds; nullptr when there is none. Any thread, at any time.
  template <typename Same>
  [[nodiscard]] const Entry* find(const std::uint64_t hash, const Same& same) const noexcept {
    const Table& table = *newest_.load(std::memory_order_acquire);
    for (std::size_t n = hash & table.mask;; n = (n + 1) & table.mask) {
      const Entry* const entry = table.slots[n].load(std::memory_order_acquire);
      if (entry == nullptr || (entry->hash == hash && same(*entry))) {
        return entry;
      }
    }
  }

  // Adds `entry`, or puts it in the place of the one for which `same` holds. One writer at a time.
  template <typename Same>
  const Entry& put(std::unique_ptr<const Entry> entry, const Same& same) {
    entries_.push_back(std::move(entry));
    const Entry& added = *entries_.back();
    Table* table = tables_.back().get();
    std::size_t n = place(*table, added.hash, same);
    const bool replaces = table->slots[n].load(std::memory_order_relaxed) != nullptr;
    if (!replaces && 2 * (used_ + 1) > table->mask + 1) {
      grow(2 * (table->mask + 1));
      table = tables_.back().get();
      n = place(*table, added.hash, same);
    }
    table->slots[n].store(&added, std::memory_order_release);
    used_ += replaces ? 0 : 1;
    return added;
  }

  // Every entry that find() would find. Any thread, at any time.
  template <typename Visit>
  void for_each(const Visit& visit) const {
    const Table& table = *newest_.load(std::memory_order_acquire);
    for (std::size_t n = 0; n <= table.mask; ++n) {
      if (const Entry* const entry = table.slots[n].load(std::memory_order_acquire)) {
        visit(*entry);
      }
    }
  }

  // Distinct entries, and all that are kept. For the writer.
  [[nodiscard]] std::size_t size() const noexcept { return used_; }
  [[nodiscard]] const std::vector<std::unique_ptr<const Entry>>& history() const noexcept { return entries_; }

 private:
  static constexpr std::size_t first_slots = 16;

  struct Table {
    explicit Table(const std::size_t count) : mask(count - 1), slots(new std::atomic<const Entry*>[count] {}) {}
    std::size_t mask;
    std::unique_ptr<std::atomic<const Entry*>[]> slots;
  };

  template <typename Same>
  static std::size_t place(const Table& table, const std::uint64_t hash, const Same& same) {
    std::size_t n = hash & table.mask;
    for (const Entry* entry = table.slots[n].load(std::memory_order_relaxed);
         entry != nullptr && !(entry->hash == hash && same(*entry));
         entry = table.slots[n].load(std::memory_order_relaxed)) {
      n = (n + 1) & table.mask;
    }
    return n;
  }

  void grow(const std::size_t count) {
    auto larger = std::make_unique<Table>(count);
    if (!tables_.empty()) {
      const Table& old = *tables_.back();
      for (std::size_t n = 0; n <= old.mask; ++n) {
        if (const Entry* const entry = old.slots[n].load(std::memory_order_relaxed)) {
          larger->slots[place(*larger, entry->hash, [](const Entry&) { return false; })].store(
              entry, std::memory_order_relaxed);
        }
      }
    }
    tables_.push_back(std::move(larger));
    newest_.store(tables_.back().get(), std::memory_order_release);
  }

  std::vector<std::unique_ptr<Table>> tables_;
  std::vector<std::unique_ptr<const Entry>> entries_;
  std::atomic<const Table*> newest_{nullptr};
  std::size_t used_ = 0;
};

}  // namespace attentune
