#include "tuner/worker_path.h"

#include <dlfcn.h>

#include <filesystem>
#include <system_error>

#include "runtime/search_path.h"

namespace attentune {

namespace {

namespace fs = std::filesystem;

// The file that holds this function: libattentune.so in a caller's process, else the executable.
fs::path own_file() {
  Dl_info info{};
  std::error_code error;
  if (dladdr(reinterpret_cast<const void*>(&own_file), &info) != 0 && info.dli_fname != nullptr) {
    // For the main program dli_fname is argv[0], which need not be a path.
    const fs::path named = info.dli_fname;
    const fs::path file = named.has_parent_path() ? fs::canonical(named, error) : fs::path();
    if (!file.empty()) {
      return file;
    }
  }
  return fs::read_symlink("/proc/self/exe", error);
}

}  // namespace

std::string find_worker(const std::string& search_path) {
  const fs::path folder = own_file().parent_path();
  for (const fs::path& candidate : {folder.parent_path() / "bin" / "attentune", folder / "attentune"}) {
    if (!folder.empty() && is_executable(candidate)) {
      return candidate.string();
    }
  }
  return find_program("attentune", search_path);
}

std::string worker_absent_sentence() {
  return "tuning needs the attentune command and there is none at ../bin beside the library nor on PATH; install it "
         "from the same build";
}

}  // namespace attentune
