#include "runtime/simulator/instructions/memory_form.h"

#include <array>
#include <utility>

namespace attentune::simulator {

namespace {

template <class Value, std::size_t count>
bool take(std::string_view modifier, const std::array<std::pair<std::string_view, Value>, count>& table, Value& value) {
  for (const auto& [name, meaning] : table) {
    if (name == modifier) {
      value = meaning;
      return true;
    }
  }
  return false;
}

constexpr std::array<std::pair<std::string_view, Space>, 9> space_names{{
    {"global", Space::global},
    {"shared", Space::shared},
    {"shared::cta", Space::shared},
    {"shared::cluster", Space::shared},
    {"local", Space::local},
    {"param", Space::param},
    {"param::entry", Space::param},
    {"const", Space::constant},
    {"constant", Space::constant},
}};

// 8.4.2: volatile is treated as relaxed with system scope.
constexpr std::array<std::pair<std::string_view, Order>, 6> order_names{{
    {"weak", Order::weak},
    {"volatile", Order::relaxed},
    {"relaxed", Order::relaxed},
    {"acquire", Order::acquire},
    {"release", Order::release},
    {"acq_rel", Order::acquire_release},
}};

constexpr std::array<std::pair<std::string_view, Scope>, 4> scope_names{
    {{"cta", Scope::cta}, {"cluster", Scope::cluster}, {"gpu", Scope::gpu}, {"sys", Scope::system}}};

bool is_hint(std::string_view modifier) noexcept {
  constexpr std::array<std::string_view, 9> hints{"nc", "ca", "cg", "cs", "cv", "lu", "wb", "wt", "nc::L1"};
  for (const std::string_view hint : hints) {
    if (hint == modifier)
      return true;
  }
  return modifier.starts_with("L1::") || modifier.starts_with("L2::");
}

}  // namespace

bool take_memory_modifier(std::string_view modifier, MemoryForm& form) {
  return take(modifier, space_names, form.space) || take(modifier, order_names, form.order) ||
         take(modifier, scope_names, form.scope) || is_hint(modifier);
}

ElementType element_type(const StepBuilder& builder, std::string_view name) {
  constexpr std::array<std::pair<std::string_view, int>, 4> widths{{{"8", 8}, {"16", 16}, {"32", 32}, {"64", 64}}};
  for (const auto& [digits, bits] : widths) {
    if (name.size() > digits.size() && name.ends_with(digits) && name.find("x2") == std::string_view::npos)
      return {.bits = bits, .is_signed = name.front() == 's'};
  }
  builder.refuse("its type is not served");
}

}  // namespace attentune::simulator
