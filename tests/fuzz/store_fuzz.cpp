// Any bytes as a Pack: opening and reading them gives values or an Error.
#include <fcntl.h>
#include <unistd.h>

#include <cstdint>
#include <cstdlib>
#include <string>

#include "cache/store.h"
#include "generator/error.h"

namespace {

// One file in a directory of its own, rewritten for every input.
const std::string& store_path() {
  static const std::string path = [] {
    std::string name = "/tmp/attentune-fuzz-XXXXXX";
    if (::mkdtemp(name.data()) == nullptr)
      std::abort();
    return name + "/store.db";
  }();
  return path;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const int file = ::open(store_path().c_str(), O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
  if (file < 0 || ::write(file, data, size) != static_cast<ssize_t>(size))
    std::abort();
  ::close(file);
  try {
    attentune::StoreOptions options;
    options.path = store_path();
    options.mode = attentune::StoreMode::read_only;
    const auto store = attentune::Store::open(options);
    for (const auto& winner : store->winners()) {
      if (!winner.measurement.verified)
        std::abort();
      static_cast<void>(store->load_binary(winner.measurement.binary_key));
    }
    static_cast<void>(store->binaries());
    static_cast<void>(store->misses());
    static_cast<void>(store->verify(false));
  } catch (const attentune::Error&) {
  }
  return 0;
}
