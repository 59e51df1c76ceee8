#include "cache/pack.h"

namespace attentune {

Pack Pack::open(const std::string& path, const FilesystemProbe& filesystem) {
  StoreOptions options;
  options.path = path;
  options.mode = StoreMode::read_only;
  options.filesystem = filesystem;
  std::shared_ptr<const Store> store = Store::open(options);
  std::string hash = store->snapshot_hash();
  return {std::move(store), std::move(hash)};
}

}  // namespace attentune
