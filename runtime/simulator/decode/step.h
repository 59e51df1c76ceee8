// Step: an instruction made ready to run: its handler, its operands as slots, what it demands of the warp.
#pragma once

#include <cstdint>

#include "runtime/simulator/state/lanes.h"
#include "runtime/simulator/state/register_file.h"

namespace attentune::simulator {

class Warp;
struct Step;

// Runs one instruction for the lanes of `lanes`, never empty.
using Handler = void (*)(Warp& warp, const Step& step, Mask lanes);

enum class Flow : std::uint8_t {
  straight,  // the next step follows
  control    // the handler says where its lanes go, or what they wait for
};

// Which lanes must come together first.
enum class Convergence : std::uint8_t {
  none,
  members,  // those of the membermask, the last input: they wait for one another (".sync")
  aligned   // all of the warp, already: ".aligned"
};

enum class Space : std::uint8_t { generic, global, shared, local, param, constant };
enum class Order : std::uint8_t { weak, relaxed, acquire, release, acquire_release };
enum class Scope : std::uint8_t { cta, cluster, gpu, system };

struct MemoryForm {
  Space space = Space::generic;
  Order order = Order::weak;
  Scope scope = Scope::system;
  std::uint8_t element_bytes = 4;
  std::uint8_t elements = 1;
  bool sign_extended = false;

  [[nodiscard]] std::uint32_t bytes() const noexcept { return std::uint32_t{element_bytes} * elements; }
};

// What an instruction counts as in a Report.
enum class Category : std::uint8_t {
  integer,
  floating,
  fused_multiply_add,
  special_function,
  conversion,
  comparison,
  logic,
  move,
  load,
  store,
  atomic,
  async_copy,
  matrix_load,
  matrix_store,
  mma,
  warp_exchange,
  barrier,
  fence,
  control
};

struct Step {
  Handler handler = nullptr;
  const Slot* slots = nullptr;   // outputs, then inputs
  std::uint32_t first_slot = 0;  // of Kernel::slots: the same place
  std::uint8_t outputs = 0;
  std::uint8_t inputs = 0;
  Flow flow = Flow::straight;
  Convergence convergence = Convergence::none;
  bool checks_inputs = true;     // lanes that read what nobody wrote stop the run
  bool computes = false;         // a value of registers; outside of strict mode as unwritten as what it is made of
  bool writes_validity = false;  // the handler itself says which outputs are written
  bool parts = false;            // a branch: lanes whose guard is false are its own business
  bool takes_registers = false;  // wgmma: the handler itself says what it does with its registers
  bool strict = false;           // wants an explicit bar.warp.sync after a divergent branch
  bool guarded = false;
  Slot guard;
  MemoryForm memory;
  std::uint32_t attribute = 0;  // the handler's own: an immediate, a mode
  std::int64_t offset = 0;      // of an address; the target of a branch
  std::int32_t join = -1;       // where lanes that part here meet again; -1: nowhere before they exit
  Category category = Category::move;

  [[nodiscard]] const Slot& output(std::size_t index) const noexcept { return slots[index]; }
  [[nodiscard]] const Slot& input(std::size_t index) const noexcept { return slots[outputs + index]; }
};

}  // namespace attentune::simulator
