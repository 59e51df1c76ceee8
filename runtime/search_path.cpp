#include "runtime/search_path.h"

#include <unistd.h>

#include <algorithm>
#include <cstddef>
#include <system_error>
#include <utility>

namespace attentune {

namespace fs = std::filesystem;

std::vector<fs::path> folders_of(std::string_view search_path) {
  std::vector<fs::path> folders;
  while (!search_path.empty()) {
    const std::size_t end = std::min(search_path.find(':'), search_path.size());
    fs::path folder(search_path.substr(0, end));
    search_path.remove_prefix(std::min(end + 1, search_path.size()));
    if (folder.is_absolute())
      folders.push_back(std::move(folder));
  }
  return folders;
}

bool is_executable(const fs::path& path) {
  std::error_code error;
  return fs::is_regular_file(path, error) && access(path.c_str(), X_OK) == 0;
}

std::string find_program(const std::string_view name, const std::string_view search_path) {
  for (const fs::path& folder : folders_of(search_path)) {
    if (is_executable(folder / name))
      return (folder / name).string();
  }
  return "";
}

}  // namespace attentune
