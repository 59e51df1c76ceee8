// --templates DIR.
#pragma once

#include <filesystem>

namespace attentune {

// From now on the CUDA templates are the files folder/cuda/*.cuh, where there is one of a built-in name. Throws
// Error(misuse) when there is none, or one cannot be read. Before anything is rendered.
void take_cuda_templates(const std::filesystem::path& folder);

}  // namespace attentune
