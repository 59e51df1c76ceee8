// The texts kernels are made of, as they were when the program was built.
#pragma once

#include <span>
#include <string>
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

// From now on text(name) is this one, which lives on: for who edits templates without building attentune. Once for a
// name, before anything is rendered.
void replace(std::string_view name, std::string text);

}  // namespace attentune::templates
