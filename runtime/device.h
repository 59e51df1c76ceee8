// Device: runs Binaries: the host CPU, an NVIDIA GPU (driver API), a simulator of an Arch.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "generator/arch.h"
#include "generator/binary.h"
#include "generator/device_identity.h"
#include "generator/kernel_family.h"
#include "runtime/call_checks.h"
#include "runtime/compiler.h"
#include "runtime/device_memory.h"
#include "runtime/executor.h"
#include "runtime/tensor_map.h"
#include "templates/attention_args.h"
#include "templates/launch.h"

namespace attentune {

// A Binary's code on a Device; entries live as long as it does.
class Module {
 public:
  virtual ~Module() = default;
};

// A call, ready to be launched again and again.
struct BoundCall {
  AttentunePreparedCall prepared{};
  std::vector<std::vector<TensorMap>> tensor_maps;  // of each LaunchRule, in its order
  std::vector<OperandExtent> operands;
};

// Where a launch is queued: a CUstream on GPUs (null = the default stream), without meaning elsewhere.
using Stream = void*;

class Device {
 public:
  virtual ~Device() = default;
  [[nodiscard]] virtual const DeviceIdentity& identity() const noexcept = 0;
  [[nodiscard]] virtual const Arch& arch() const noexcept = 0;

  // For this device's Arch; looked for at the first call. Throws RefusalError when there is none.
  [[nodiscard]] virtual const Compiler& compiler() const = 0;
  // Throws Error(device_failed) for a malformed object: a bad file is a miss, never a crash.
  [[nodiscard]] virtual std::shared_ptr<const Module> load(const Binary& binary) const = 0;

  // What runs at the same time: workers, whose per_worker workspace slices must exist; on GPUs multiprocessors, of
  // which persistent kernels take one block each.
  [[nodiscard]] virtual int workers() const noexcept = 0;
  // Queues the prepared launches in order; hosts and simulators return when they have ended. Allocates nothing.
  virtual void launch(const Module& module, const BoundCall& call, Stream stream) const = 0;
  // Throws RefusalError for a call that cannot be launched here: too much shared memory, too large a grid.
  virtual void check(const Module&, const AttentunePreparedCall&) const {}
  // Throws RefusalError where there are no tensor maps.
  [[nodiscard]] virtual TensorMap encode(const TensorMapShape& shape) const;
  // Returns when all launches have ended. Throws Error(device_failed) when one of them failed.
  virtual void synchronize() const {}

  // Where operands and workspace lie.
  [[nodiscard]] virtual const DeviceMemory& memory() const noexcept { return host_memory(); }

  // Does time pass here as it does for users? On a simulator it does not: nothing measured there may be kept.
  [[nodiscard]] virtual bool can_time() const noexcept { return true; }
  // Milliseconds of `calls` calls, each of which queues launches on the stream it is given. By the clock of the device.
  [[nodiscard]] virtual double time_ms(const std::function<void(Stream)>& call, int calls) const;
  // What was counted instead of time since the device was opened, for people; "" where there is nothing to tell.
  [[nodiscard]] virtual std::string counts() const { return {}; }
};

// What --device accepts: "host", "gpu:0", "sim:sm_90a". Throws Error(device_failed) for a GPU that is present but
// unusable, RefusalError for a name that is none of these or that this build does not serve.
struct DeviceOptions {
  int threads = 0;  // of a host; 0 = all
  CompilerOptions compiler;
};
[[nodiscard]] std::shared_ptr<const Device> open_device(std::string_view name, const DeviceOptions& options = {});
// The host device with the caller's executor, which must outlive it.
[[nodiscard]] std::shared_ptr<const Device> open_host(Executor& executor);
// All that may be opened here, GPUs first; opening one may still say why it cannot be used.
[[nodiscard]] std::vector<std::string> device_names();
// The name open_device takes when the user says nothing: gpu:0 if one is present, else host.
[[nodiscard]] std::string default_device_name();

}  // namespace attentune
