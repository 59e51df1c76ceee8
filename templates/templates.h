// The texts kernels are made of, as they were when the program was built.
#pragma once

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

}  // namespace attentune::templates
