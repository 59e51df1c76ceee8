#include "runtime/simulator/decode/registry.h"

#include <algorithm>
#include <iterator>
#include <ranges>

#include "runtime/simulator/instructions/chapters.h"

namespace attentune::simulator {

namespace {

template <class Table>
std::vector<std::string> sorted_names(const Table& table) {
  std::vector<std::string> names;
  std::ranges::copy(std::views::keys(table), std::back_inserter(names));
  std::ranges::sort(names);
  return names;
}

}  // namespace

void Registry::add(const std::string& opcode, const Form& form) { forms_.emplace(opcode, form); }

void Registry::add(const std::string& mnemonic, Decoder made) { decoders_.emplace(mnemonic, made); }

const Form* Registry::form(const std::string& opcode) const {
  const auto found = forms_.find(opcode);
  return found == forms_.end() ? nullptr : &found->second;
}

Decoder Registry::decoder(const std::string& mnemonic) const {
  const auto found = decoders_.find(mnemonic);
  return found == decoders_.end() ? nullptr : found->second;
}

std::vector<std::string> Registry::opcodes() const { return sorted_names(forms_); }

std::vector<std::string> Registry::mnemonics() const { return sorted_names(decoders_); }

Registry all_forms() {
  Registry registry;
  register_integer(registry);
  register_floating(registry);
  register_half(registry);
  register_comparison(registry);
  register_logic(registry);
  register_movement(registry);
  register_conversion(registry);
  register_memory(registry);
  register_control(registry);
  register_barriers(registry);
  register_mbarriers(registry);
  register_async_copies(registry);
  register_atomics(registry);
  register_warp_exchange(registry);
  register_matrix(registry);
  register_cluster(registry);
  register_wgmma(registry);
  register_registers(registry);
  return registry;
}

}  // namespace attentune::simulator
