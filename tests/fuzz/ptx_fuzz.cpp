// Any bytes are refused or read as a Module that prints and reads as itself, whose control flow holds together.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "generator/error.h"
#include "runtime/simulator/ptx/control_flow.h"
#include "runtime/simulator/ptx/module.h"
#include "tests/simulator/ptx_text.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace attentune;
  const std::string text(data, data + size);
  ptx::Module module;
  try {
    module = ptx::parse(text);
  } catch (const RefusalError& error) {
    if (error.refusal().limit.empty() || error.refusal().remedy.empty())
      std::abort();
    return 0;
  }
  const std::string printed = ptx::to_text(module);
  if (ptx::to_text(ptx::parse(printed)) != printed)
    std::abort();
  for (const ptx::Entry& entry : module.entries) {
    try {
      const ptx::ControlFlow flow = ptx::control_flow(entry);
      for (const ptx::Block& block : flow.blocks) {
        if (block.first >= block.end || block.successors.empty())
          std::abort();
      }
    } catch (const RefusalError&) {
      // A branch without a label.
    }
  }
  return 0;
}
