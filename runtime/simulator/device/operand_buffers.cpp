#include "runtime/simulator/device/operand_buffers.h"

#include <algorithm>
#include <map>
#include <string>

namespace attentune::simulator {
namespace {

struct Range {
  std::uintptr_t begin = 0;
  std::uintptr_t end = 0;
  std::string name;
  BufferAccess access = BufferAccess::read;
};

// Operands whose bytes interleave (a packed QKV tensor) become one range.
std::vector<Range> merged(const std::vector<OperandExtent>& operands) {
  std::vector<Range> sorted;
  sorted.reserve(operands.size());
  for (const OperandExtent& operand : operands) {
    sorted.push_back({.begin = operand.begin,
                      .end = operand.begin + operand.bytes,
                      .name = std::string(operand.name),
                      .access = operand.written ? BufferAccess::read_write : BufferAccess::read});
  }
  std::ranges::sort(sorted, {}, &Range::begin);
  std::vector<Range> ranges;
  for (Range& range : sorted) {
    if (ranges.empty() || range.begin >= ranges.back().end) {
      ranges.push_back(std::move(range));
      continue;
    }
    Range& last = ranges.back();
    last.end = std::max(last.end, range.end);
    last.name += "," + range.name;
    last.access = std::max(last.access, range.access);
  }
  return ranges;
}

}  // namespace

OperandBuffers::OperandBuffers(Simulator& simulator, const BoundCall& call, const std::vector<LaunchRule>& rules)
    : simulator_(simulator) {
  try {
    add_operands(call);
    add_workspace(call, rules);
  } catch (...) {
    for (const void* const pointer : registered_)
      simulator_.unregister_buffer(pointer);
    throw;
  }
}

OperandBuffers::~OperandBuffers() {
  for (const void* const pointer : registered_)
    simulator_.unregister_buffer(pointer);
}

void OperandBuffers::add(const std::uintptr_t begin, const std::size_t bytes, const std::string& name,
                         const BufferAccess access) {
  void* const pointer = reinterpret_cast<void*>(begin);  // NOLINT(performance-no-int-to-ptr): simulated addresses are
                                                         // numbers
  registered_.reserve(registered_.size() + 1);
  simulator_.register_buffer(pointer, bytes, name, access);
  registered_.push_back(pointer);
}

void OperandBuffers::add_operands(const BoundCall& call) {
  for (const Range& range : merged(call.operands))
    add(range.begin, range.end - range.begin, range.name, range.access);
}

void OperandBuffers::add_workspace(const BoundCall& call, const std::vector<LaunchRule>& rules) {
  const AttentunePreparedCall& prepared = call.prepared;
  std::map<std::int64_t, std::string> slices;  // by offset; a slice ends where the next begins
  for (int n = 0; n < prepared.launch_count; ++n) {
    const AttentunePreparedLaunch& launch = prepared.launches[n];
    for (int s = 0; s < launch.slice_count; ++s)
      slices.emplace(launch.slice_offset[s],
                     rules[static_cast<std::size_t>(n)].workspace[static_cast<std::size_t>(s)].name);
  }
  const auto start = reinterpret_cast<std::uintptr_t>(prepared.workspace);
  for (auto slice = slices.begin(); slice != slices.end(); ++slice) {
    const auto next = std::next(slice);
    const std::int64_t end = next == slices.end() ? prepared.workspace_bytes : next->first;
    if (end > slice->first)
      add(start + static_cast<std::uintptr_t>(slice->first), static_cast<std::size_t>(end - slice->first),
          "workspace " + slice->second, BufferAccess::scratch);
  }
}

}  // namespace attentune::simulator
