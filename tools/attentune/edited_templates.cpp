#include "tools/attentune/edited_templates.h"

#include <fmt/format.h>

#include <algorithm>
#include <fstream>
#include <sstream>
#include <string>
#include <system_error>
#include <utility>

#include "generator/error.h"
#include "templates/templates.h"

namespace attentune {

void take_cuda_templates(const std::filesystem::path& folder) {
  const auto refuse = [](const std::string& sentence) { throw Error(Status::misuse, "--templates: " + sentence); };
  std::error_code error;
  std::filesystem::directory_iterator files(folder / "cuda", error);
  if (error)
    refuse(fmt::format("cannot list '{}' ({}); name the folder that holds cuda, such as a checkout's templates",
                       (folder / "cuda").string(), error.message()));
  bool found = false;
  for (const std::filesystem::directory_entry& entry : files) {
    if (entry.path().extension() != ".cuh")
      continue;
    const std::string name = "cuda/" + entry.path().filename().string();
    if (std::ranges::find(templates::entries(), name, &templates::Entry::name) == templates::entries().end())
      refuse(fmt::format("no template is called '{}'; name it as the one it stands for", name));
    std::ifstream file(entry.path(), std::ios::binary);
    std::ostringstream text;
    text << file.rdbuf();
    if (!file || !text)
      refuse(fmt::format("cannot read '{}'", entry.path().string()));
    templates::replace(name, std::move(text).str());
    found = true;
  }
  if (!found)
    refuse(fmt::format("no *.cuh is in '{}'", (folder / "cuda").string()));
}

}  // namespace attentune
