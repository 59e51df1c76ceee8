#include <string>
#include <string_view>

#include "cache/store.h"
#include "generator/error.h"

namespace attentune {

std::string default_store_path(std::string_view xdg_data_home, std::string_view home) {
  constexpr std::string_view tail = "/attentune/store.db";
  if (xdg_data_home.starts_with('/'))
    return std::string(xdg_data_home).append(tail);
  if (home.empty()) {
    throw Error(Status::misuse,
                "HOME and XDG_DATA_HOME are not set, so there is no place for the Store; name one with "
                "--store PATH");
  }
  return std::string(home).append("/.local/share").append(tail);
}

}  // namespace attentune
