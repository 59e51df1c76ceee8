#include "templates/templates.h"

#include <algorithm>
#include <fstream>
#include <iterator>
#include <map>
#include <stdexcept>
#include <string>

namespace attentune::templates {
namespace {

// Texts that stand for the embedded ones of those names.
std::map<std::string_view, std::string>& taken() {
  static std::map<std::string_view, std::string> texts;
  return texts;
}

}  // namespace

std::size_t take_cuda_texts(const std::filesystem::path& folder) {
  for (const Entry& entry : entries()) {
    const std::filesystem::path path = folder / entry.name;
    if (!entry.name.starts_with("cuda/") || !std::filesystem::is_regular_file(path)) {
      continue;
    }
    std::ifstream file(path, std::ios::binary);
    std::string text{std::istreambuf_iterator<char>(file), {}};
    if (!file) {
      throw std::runtime_error("cannot read " + path.string());
    }
    taken().insert_or_assign(entry.name, std::move(text));
  }
  return taken().size();
}

std::string_view text(const std::string_view name) {
  if (const auto found = taken().find(name); found != taken().end()) {
    return found->second;
  }
  const auto all = entries();
  const auto found = std::ranges::find(all, name, &Entry::name);
  if (found != all.end()) {
    return found->text;
  }
  std::string message = "no embedded template '" + std::string(name) + "'; there are:";
  for (const Entry& entry : all) {
    message += ' ';
    message += entry.name;
  }
  throw std::out_of_range(message);
}

}  // namespace attentune::templates
