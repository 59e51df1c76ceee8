#include "tests/simulator/run.h"

#include <fmt/format.h>

namespace attentune::simulator {

std::string module_text(std::string_view parameters, std::string_view body, std::string_view globals) {
  return fmt::format(".version 9.0\n.target sm_80\n.address_size 64\n{}\n.visible .entry k({})\n{{\n{}\nret;\n}}\n",
                     globals, parameters, body);
}

}  // namespace attentune::simulator
