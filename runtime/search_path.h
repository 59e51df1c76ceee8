// PATH, as shells read it: folders with ':' between them.
#pragma once

#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

namespace attentune {

// Its absolute folders, in order: a relative one would make what is found depend on the current directory.
[[nodiscard]] std::vector<std::filesystem::path> folders_of(std::string_view search_path);

// A file this process may execute.
[[nodiscard]] bool is_executable(const std::filesystem::path& path);

// The first program of that name; "" when there is none.
[[nodiscard]] std::string find_program(std::string_view name, std::string_view search_path);

}  // namespace attentune
