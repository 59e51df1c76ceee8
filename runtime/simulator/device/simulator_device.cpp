#include "runtime/simulator/device/simulator_device.h"

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "generator/error.h"
#include "runtime/simulator/device/operand_buffers.h"
#include "runtime/simulator/memory/tensor_map.h"
#include "runtime/simulator/ptx/module.h"
#include "runtime/watchdog.h"

namespace attentune::simulator {
namespace {

class SimulatorModule final : public Module {
 public:
  SimulatorModule(const Binary& binary, const Options& options)
      : simulator_(
            ptx::parse(std::string_view(reinterpret_cast<const char*>(binary.object.data()), binary.object.size())),
            options),
        rules_(binary.launches) {
    simulator_.register_buffer(&watchdog_report_, sizeof watchdog_report_, "the watchdog's report",
                               BufferAccess::read_write);
  }

  [[nodiscard]] std::mutex& mutex() const noexcept { return mutex_; }
  // Under the mutex.
  [[nodiscard]] Simulator& simulator() const noexcept { return simulator_; }
  [[nodiscard]] const std::vector<LaunchRule>& rules() const noexcept { return rules_; }
  // AttentionArgs::watchdog_report. Under the mutex.
  [[nodiscard]] unsigned long long& watchdog_report() const noexcept { return watchdog_report_; }
  // Of each entry launched: what none of its launches entered. Under the mutex.
  [[nodiscard]] std::map<std::string, Coverage>& coverage() const noexcept { return coverage_; }

 private:
  mutable std::mutex mutex_;
  mutable Simulator simulator_;
  mutable unsigned long long watchdog_report_ = 0;
  mutable std::map<std::string, Coverage> coverage_;
  std::vector<LaunchRule> rules_;
};

Extent extent(const std::int64_t (&sides)[3]) {
  return {.x = static_cast<std::uint32_t>(sides[0]),
          .y = static_cast<std::uint32_t>(sides[1]),
          .z = static_cast<std::uint32_t>(sides[2])};
}

TensorElement element_of(const Dtype dtype) {
  switch (dtype) {
    case Dtype::f32:
      return TensorElement::f32;
    case Dtype::f16:
      return TensorElement::f16;
    case Dtype::bf16:
      return TensorElement::bf16;
    case Dtype::e4m3:
    case Dtype::e5m2:
      break;
  }
  return TensorElement::u8;
}

void append(std::vector<std::byte>& block, const void* value, const std::size_t bytes, const std::size_t alignment) {
  block.resize((block.size() + alignment - 1) / alignment * alignment);
  const auto* const begin = static_cast<const std::byte*>(value);
  block.insert(block.end(), begin, begin + bytes);
}

// Parameters follow one another, each at a multiple of its alignment (PTX ISA 4.x: .param space of an entry).
std::vector<std::byte> parameter_block(const LaunchRule& rule, const AttentionArgs& args,
                                       const std::vector<TensorMap>& maps) {
  constexpr std::string_view map_prefix = "tensor_map:";
  std::vector<std::byte> block;
  for (const std::string& parameter : rule.parameters) {
    if (parameter.starts_with(map_prefix)) {
      const TensorMap& map = maps.at(std::stoul(parameter.substr(map_prefix.size())));
      append(block, map.bytes.data(), sizeof(map.bytes), alignof(TensorMap));
    } else {
      append(block, &args, sizeof(args), alignof(AttentionArgs));
    }
  }
  return block;
}

void accumulate(std::map<std::string, Coverage>& sum, const std::string& entry, const Coverage& one) {
  const auto [found, added] = sum.try_emplace(entry, one);
  if (!added)
    std::erase_if(found->second.unentered, [&](const Unentered& block) {
      return std::ranges::find(one.unentered, block) == one.unentered.end();
    });
}

void accumulate(Counts& sum, const Counts& one) {
  sum.instructions += one.instructions;
  for (std::size_t n = 0; n < sum.by_category.size(); ++n)
    sum.by_category[n] += one.by_category[n];
  for (const auto& [opcode, count] : one.by_opcode)
    sum.by_opcode[opcode] += count;
  for (std::size_t n = 0; n < sum.bytes.size(); ++n) {
    sum.bytes[n].read += one.bytes[n].read;
    sum.bytes[n].written += one.bytes[n].written;
  }
  sum.shared_cycles += one.shared_cycles;
  sum.shared_conflict_cycles += one.shared_conflict_cycles;
}

}  // namespace

SimulatorDevice::SimulatorDevice(SimulatorName name, CompilerOptions options)
    : name_(std::move(name)), compiler_options_(std::move(options)) {
  identity_.kind = DeviceIdentity::Kind::simulator;
  identity_.name = "simulator";
  identity_.arch = short_name(name_.arch);
  identity_.sms = name_.options.sms;
}

const Compiler& SimulatorDevice::compiler() const {
  const std::lock_guard lock(mutex_);
  if (!compiler_)
    compiler_ = std::make_unique<PtxCompiler>(name_.arch, compiler_options_);
  return *compiler_;
}

std::shared_ptr<const Module> SimulatorDevice::load(const Binary& binary) const {
  return std::make_shared<SimulatorModule>(binary, name_.options);
}

void SimulatorDevice::launch(const Module& module, const BoundCall& call, Stream) const {
  const auto& loaded = static_cast<const SimulatorModule&>(module);
  const std::lock_guard module_lock(loaded.mutex());
  const OperandBuffers buffers(loaded.simulator(), call, loaded.rules());
  for (int index = 0; index < call.prepared.launch_count; ++index) {
    const AttentunePreparedLaunch& launch = call.prepared.launches[index];
    const LaunchShape shape{.grid = extent(launch.grid),
                            .block = extent(launch.block),
                            .cluster = extent(launch.cluster),
                            .dynamic_shared_bytes = static_cast<std::uint32_t>(launch.shared_bytes)};
    if (shape.grid.count() == 0)
      continue;
    AttentionArgs args;
    attentune_launch_args(&call.prepared, index, 0, &args);
    loaded.watchdog_report() = 0;
    args.watchdog_report = &loaded.watchdog_report();
    const auto rule = static_cast<std::size_t>(index);
    const std::vector<std::byte> parameters = parameter_block(loaded.rules()[rule], args, call.tensor_maps[rule]);
    try {
      const Report report = loaded.simulator().run(launch.entry, shape, parameters);
      accumulate(loaded.coverage(), launch.entry, report.coverage);
      const std::lock_guard lock(mutex_);
      accumulate(total_, report.counts);
    } catch (const Fault& fault) {
      const std::string reported = watchdog_sentence(loaded.watchdog_report());
      throw Error(Status::device_failed, fmt::format("{}the simulator stopped the kernel: {}",
                                                     reported.empty() ? "" : reported + "; ", fault.what()));
    }
  }
}

TensorMap SimulatorDevice::encode(const TensorMapShape& shape) const {
  TensorMapFields fields{.address = reinterpret_cast<std::uintptr_t>(shape.address),
                         .element = element_of(shape.dtype),
                         .rank = TensorMapShape::rank,
                         .swizzle_bytes = shape.swizzle_bytes};
  std::ranges::copy(shape.size, fields.size.begin());
  std::ranges::copy(shape.stride_bytes, fields.stride_bytes.begin());
  std::ranges::copy(shape.box, fields.box.begin());
  if (const std::string reason = defect(fields); !reason.empty())
    throw Error(Status::device_failed, "the driver would refuse this tensor map: " + reason);
  TensorMap map;
  const EncodedTensorMap encoded = simulator::encode(fields);
  std::memcpy(map.bytes.data(), encoded.data(), encoded.size());
  return map;
}

Counts SimulatorDevice::total() const {
  const std::lock_guard lock(mutex_);
  return total_;
}

std::vector<std::pair<std::string, Coverage>> SimulatorDevice::coverage(const Module& module) {
  const auto& loaded = static_cast<const SimulatorModule&>(module);
  const std::lock_guard lock(loaded.mutex());
  return {loaded.coverage().begin(), loaded.coverage().end()};
}

std::string SimulatorDevice::counts() const {
  const Counts counts = total();
  const Traffic& global = counts.of(Space::global);
  return fmt::format(
      "{} warp instructions, {} of them mma, {} ex2 and the like; {} bytes of global memory read, {} written; "
      "{} of {} cycles of shared memory are bank conflicts",
      counts.instructions, counts.of(Category::mma), counts.of(Category::special_function), global.read, global.written,
      counts.shared_conflict_cycles, counts.shared_cycles);
}

std::shared_ptr<const SimulatorDevice> open_simulator(const std::string_view name, const CompilerOptions& options) {
  return std::make_shared<SimulatorDevice>(parse_simulator_name(name), options);
}

}  // namespace attentune::simulator
