#include "runtime/simulator/simulator.h"

#include <algorithm>
#include <cstddef>
#include <map>
#include <span>
#include <string>
#include <utility>

#include <fmt/format.h>

#include "generator/error.h"
#include "runtime/simulator/decode/kernel_builder.h"
#include "runtime/simulator/execution/barrier.h"
#include "runtime/simulator/execution/grid.h"
#include "runtime/simulator/execution/launch.h"
#include "runtime/simulator/execution/multiprocessor.h"

namespace attentune::simulator {

struct Simulator::Implementation {
  ptx::Module module;
  Options options;
  Multiprocessor limits;
  GlobalMemory global;
  std::map<std::string, std::vector<std::byte>> variables;  // the module's .global ones
  std::vector<Kernel> kernels;

  std::uint64_t variable(const ptx::Variable& one);
  [[nodiscard]] const Kernel& kernel(std::string_view entry) const;
};

namespace {

[[noreturn]] void refuse_launch(const Kernel& kernel, const std::string& sentence) {
  throw Fault(FaultKind::launch, sentence, {.kernel = kernel.name});
}

constexpr std::uint64_t most_cluster_blocks = 16;

// The clusters a kernel states need not be repeated at its launch.
LaunchShape with_stated_cluster(const Kernel& kernel, const LaunchShape& shape) {
  LaunchShape result = shape;
  if (kernel.cluster[0] != 0 && shape.cluster.count() == 1) {
    const auto side = [&](std::size_t i) { return static_cast<std::uint32_t>(std::max(kernel.cluster[i], 1)); };
    result.cluster = {.x = side(0), .y = side(1), .z = side(2)};
  }
  return result;
}

void check_shape(const Kernel& kernel, const LaunchShape& shape, const Multiprocessor& limits, std::size_t parameters) {
  const std::uint64_t threads = shape.block.count();
  if (threads == 0 || threads > max_warps * warp_size || shape.grid.count() == 0)
    refuse_launch(kernel, fmt::format("a grid of {} blocks of {} threads", shape.grid.count(), threads));
  const auto product = [](const std::array<std::int32_t, 3>& counts) {
    std::uint64_t result = 1;
    for (const std::int32_t count : counts)
      result *= static_cast<std::uint64_t>(std::max(count, 1));
    return result;
  };
  if (kernel.max_threads[0] != 0 && threads > product(kernel.max_threads))
    refuse_launch(kernel,
                  fmt::format("{} threads a block, and .maxntid allows {}", threads, product(kernel.max_threads)));
  if (kernel.required_threads[0] != 0 && threads != product(kernel.required_threads))
    refuse_launch(kernel,
                  fmt::format("{} threads a block, and .reqntid wants {}", threads, product(kernel.required_threads)));
  const std::uint64_t shared = static_cast<std::uint64_t>(kernel.static_shared_bytes) + shape.dynamic_shared_bytes;
  if (shared > limits.block_shared_bytes)
    refuse_launch(kernel, fmt::format("{} bytes of shared memory a block, and {} are the limit", shared,
                                      limits.block_shared_bytes));
  if (parameters != static_cast<std::size_t>(kernel.param_bytes))
    refuse_launch(kernel, fmt::format("{} bytes of parameters, and the entry has {}", parameters, kernel.param_bytes));
  const Extent& cluster = shape.cluster;
  // 16 blocks is the most any device can be asked for; 8 is portable (CUDA C++ Programming Guide, "Thread Block
  // Clusters").
  if (cluster.count() == 0 || cluster.count() > most_cluster_blocks || shape.grid.x % cluster.x != 0 ||
      shape.grid.y % cluster.y != 0 || shape.grid.z % cluster.z != 0)
    refuse_launch(kernel, fmt::format("clusters of {} x {} x {} blocks in a grid of {} x {} x {}", cluster.x, cluster.y,
                                      cluster.z, shape.grid.x, shape.grid.y, shape.grid.z));
  if (kernel.cluster[0] != 0 && cluster.count() != product(kernel.cluster))
    refuse_launch(kernel, fmt::format("clusters of {} blocks, and .reqnctapercluster wants {}", cluster.count(),
                                      product(kernel.cluster)));
}

// The last step of a block that has a line of source, which what the compiler adds of its own has not; else its last.
std::size_t end_of(const Kernel& kernel, const BasicBlock& block) {
  for (std::int32_t step = block.end - 1; step >= block.first; --step) {
    if (kernel.sources[static_cast<std::size_t>(step)].line != 0)
      return static_cast<std::size_t>(step);
  }
  return static_cast<std::size_t>(block.end) - 1;
}

Unentered unentered(const Kernel& kernel, const BasicBlock& block) {
  const auto first = static_cast<std::size_t>(block.first);
  Unentered result{.ptx_line = kernel.lines[first], .source = kernel.source_of(first), .predecessors = {}};
  for (const std::int32_t number : block.previous) {
    const BasicBlock& previous = kernel.blocks[static_cast<std::size_t>(number)];
    const std::size_t end = end_of(kernel, previous);
    result.predecessors.push_back({.block_line = kernel.lines[static_cast<std::size_t>(previous.first)],
                                   .end_line = kernel.lines[end],
                                   .source = kernel.source_of(end)});
  }
  return result;
}

Report report(const Launch& launch) {
  const Kernel& kernel = launch.kernel;
  Report result;
  Counts& counts = result.counts;
  counts.instructions = launch.instructions;
  for (std::size_t i = 0; i < kernel.steps.size(); ++i) {
    if (launch.executed[i] == 0)
      continue;
    counts.by_category[static_cast<std::size_t>(kernel.steps[i].category)] += launch.executed[i];
    counts.by_opcode[kernel.opcodes[i]] += launch.executed[i];
  }
  counts.bytes = launch.bytes;
  counts.shared_cycles = launch.shared_cycles;
  counts.shared_conflict_cycles = launch.shared_conflict_cycles;
  result.coverage.blocks = kernel.blocks.size();
  for (const BasicBlock& block : kernel.blocks) {
    if (launch.entered[static_cast<std::size_t>(block.first)] == 0)
      result.coverage.unentered.push_back(unentered(kernel, block));
  }
  return result;
}

}  // namespace

std::uint64_t Simulator::Implementation::variable(const ptx::Variable& one) {
  const auto [found, added] = variables.try_emplace(one.name);
  std::vector<std::byte>& bytes = found->second;
  if (added) {
    // Room to begin at a multiple of the alignment.
    bytes.resize(static_cast<std::size_t>(one.bytes + one.alignment));
  }
  const auto begin = reinterpret_cast<std::uintptr_t>(bytes.data());
  const auto alignment = static_cast<std::uintptr_t>(one.alignment);
  const std::uintptr_t aligned = (begin + alignment - 1) / alignment * alignment;
  std::byte* place = bytes.data() + (aligned - begin);
  if (added) {
    std::ranges::copy(std::as_bytes(std::span(one.initial)), place);
    global.add(place, static_cast<std::size_t>(one.bytes), one.name, BufferAccess::read_write);
  }
  return aligned;
}

const Kernel& Simulator::Implementation::kernel(std::string_view entry) const {
  const auto found = std::ranges::find(kernels, entry, &Kernel::name);
  if (found == kernels.end()) {
    throw RefusalError({.field = "entry",
                        .value = std::string(entry),
                        .limit = "the module has no kernel of that name",
                        .remedy = kernels.empty() ? "give it one" : "use " + kernels.front().name});
  }
  return *found;
}

Simulator::Simulator(ptx::Module module, const Options& options) : implementation_(std::make_unique<Implementation>()) {
  if (options.sms < 1) {
    throw RefusalError({.field = "sms",
                        .value = std::to_string(options.sms),
                        .limit = "a device has a multiprocessor at least",
                        .remedy = "use sms=1 or more"});
  }
  Implementation& self = *implementation_;
  self.module = std::move(module);
  self.options = options;
  self.limits = multiprocessor(self.module.target);
  for (const ptx::Entry& entry : self.module.entries) {
    KernelBuilder builder(entry, self.module.files,
                          [&self](const ptx::Variable& variable) { return self.variable(variable); });
    self.kernels.push_back(builder.build());
  }
}

Simulator::~Simulator() = default;
Simulator::Simulator(Simulator&&) noexcept = default;
Simulator& Simulator::operator=(Simulator&&) noexcept = default;

void Simulator::register_buffer(void* pointer, std::size_t bytes, const std::string& name, BufferAccess access) {
  implementation_->global.add(pointer, bytes, name, access);
}

void Simulator::unregister_buffer(const void* pointer) { implementation_->global.remove(pointer); }

Report Simulator::run(std::string_view entry, const LaunchShape& wanted, std::span<const std::byte> parameters) {
  Implementation& self = *implementation_;
  const Kernel& kernel = self.kernel(entry);
  const LaunchShape shape = with_stated_cluster(kernel, wanted);
  check_shape(kernel, shape, self.limits, parameters.size());
  self.global.begin_launch(self.options.races);
  const auto warps = static_cast<std::uint32_t>((shape.block.count() + warp_size - 1) / warp_size);
  Launch launch{.kernel = kernel,
                .options = self.options,
                .shape = shape,
                .global = self.global,
                .parameters = parameters,
                .random = Random(self.options.seed),
                .warps = warps,
                .shared_bytes = static_cast<std::size_t>(kernel.static_shared_bytes) + shape.dynamic_shared_bytes,
                .timelines = {.warps = warps, .async_proxy = kernel.async_proxy}};
  launch.executed.resize(kernel.steps.size());
  launch.entered.resize(kernel.steps.size());
  run_grid(launch, self.limits);
  return report(launch);
}

}  // namespace attentune::simulator
