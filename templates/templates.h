// The texts kernels are made of, as they were when the program was built.
#pragma once

#include <cstddef>
#include <filesystem>
#include <span>
#include <string_view>

namespace attentune::templates {

struct Entry {
  std::string_view name;  // path below templates/, such as "host/forward.ll" or "launch.c"
  std::string_view text;  // lives as long as the program
};

// Every embedded text.
std::span<const Entry> entries();

// The text called `name`. Throws std::out_of_range, naming the known texts, if there is none.
std::string_view text(std::string_view name);

// For who edits templates without building attentune: from now on text("cuda/...") is the file folder/cuda/... where
// there is one. Returns how many were found. Throws std::runtime_error for one that cannot be read. Once, before
// anything is rendered.
std::size_t take_cuda_texts(const std::filesystem::path& folder);

}  // namespace attentune::templates
