// Pack: a read-only Store that ships or is shared.
#pragma once

#include <memory>
#include <string>

#include "cache/store.h"

namespace attentune {

class Pack {
 public:
  // Throws Error(store_failed): no such file, damaged, unsafe, or of a later schema.
  [[nodiscard]] static Pack open(const std::string& path, const FilesystemProbe& filesystem = filesystem_kind);

  [[nodiscard]] const Store& store() const noexcept { return *store_; }
  // Store::snapshot_hash() as of open: compare it between ranks.
  [[nodiscard]] const std::string& hash() const noexcept { return hash_; }

 private:
  Pack(std::shared_ptr<const Store> store, std::string hash) : store_(std::move(store)), hash_(std::move(hash)) {}
  std::shared_ptr<const Store> store_;
  std::string hash_;
};

}  // namespace attentune
