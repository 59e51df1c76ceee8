// --templates DIR.
#pragma once

#include <filesystem>

namespace attentune {

// From now on the CUDA templates that have a file of their name in folder/cuda are those files. Throws Error(misuse)
// when there is none, one has no built-in template's name, or one cannot be read. Before anything is rendered.
void take_cuda_templates(const std::filesystem::path& folder);

}  // namespace attentune
