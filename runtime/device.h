// Device: runs Binaries. Today the host CPU; GPUs (driver API) and simulators of an Arch take the same place.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "generator/arch.h"
#include "generator/binary.h"
#include "generator/device_identity.h"
#include "generator/kernel_family.h"
#include "runtime/executor.h"
#include "templates/attention_args.h"
#include "templates/launch.h"

namespace attentune {

// A Binary's code on a Device; entries live as long as it does.
class Module {
 public:
  virtual ~Module() = default;
};

class Device {
 public:
  virtual ~Device() = default;
  [[nodiscard]] virtual const DeviceIdentity& identity() const noexcept = 0;
  [[nodiscard]] virtual const Arch& arch() const noexcept = 0;

  // The compiler for this device's Arch: "llvm 19.1.7", and the options that enter the binary key.
  [[nodiscard]] virtual std::string compiler() const = 0;
  [[nodiscard]] virtual std::string compiler_options() const = 0;
  // Source to Binary; may be called from several threads at once. Throws Error(compile_failed) with the log.
  [[nodiscard]] virtual Binary compile(const Source& source) const = 0;
  // Throws Error(device_failed) for a malformed object: a bad file is a miss, never a crash.
  [[nodiscard]] virtual std::shared_ptr<const Module> load(const Binary& binary) const = 0;

  // Workers whose per_worker workspace slices must exist (1 on GPUs).
  [[nodiscard]] virtual int workers() const noexcept = 0;
  // Runs the prepared launches in order and, on hosts, returns when they have ended. Allocates nothing.
  virtual void launch(const Module& module, const AttentunePreparedCall& call) const = 0;
};

// What --device accepts: "host", "gpu:0", "sim:sm_90a". Throws Error(device_failed) for a GPU that is present but
// unusable, RefusalError for a name that is none of these or that this build does not serve. threads: 0 = all.
[[nodiscard]] std::shared_ptr<const Device> open_device(std::string_view name, int threads = 0);
// The host device with the caller's executor, which must outlive it.
[[nodiscard]] std::shared_ptr<const Device> open_host(Executor& executor);
// The name open_device takes when the user says nothing: gpu:0 if one is present, else host.
[[nodiscard]] std::string default_device_name();

}  // namespace attentune
