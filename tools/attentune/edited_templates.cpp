#include "tools/attentune/edited_templates.h"

#include <fmt/format.h>

#include <fstream>
#include <iterator>
#include <string>
#include <utility>

#include "generator/error.h"
#include "templates/templates.h"

namespace attentune {

void take_cuda_templates(const std::filesystem::path& folder) {
  bool found = false;
  for (const templates::Entry& entry : templates::entries()) {
    const std::filesystem::path path = folder / entry.name;
    if (!entry.name.starts_with("cuda/") || !std::filesystem::is_regular_file(path))
      continue;
    std::ifstream file(path, std::ios::binary);
    std::string text{std::istreambuf_iterator<char>(file), {}};
    if (!file)
      throw Error(Status::misuse, fmt::format("--templates: cannot read '{}'", path.string()));
    templates::replace(entry.name, std::move(text));
    found = true;
  }
  if (!found)
    throw Error(Status::misuse, fmt::format("--templates: no cuda/*.cuh of a built-in name is in '{}'; name the folder "
                                            "that holds cuda, such as a checkout's templates",
                                            folder.string()));
}

}  // namespace attentune
