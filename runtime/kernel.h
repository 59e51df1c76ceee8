// Kernel: a Binary loaded on a Device, with what is known about it. Immutable and shared.
#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <vector>

#include "generator/binary.h"
#include "generator/config.h"
#include "generator/problem.h"
#include "generator/winner.h"
#include "runtime/device.h"
#include "runtime/tensor.h"

namespace attentune {

class KernelFamily;

class Binding;

class Kernel : public std::enable_shared_from_this<Kernel> {
 public:
  // `problem` fixes the class. Throws Error(device_failed) when the object does not load.
  static std::shared_ptr<const Kernel> load(std::shared_ptr<const Device> device, const Problem& problem,
                                            const Config& config, Binary binary);
  // The same loaded code with other launch choices; `config` must have the same compile choices.
  [[nodiscard]] std::shared_ptr<const Kernel> with_config(const Config& config) const;
  // With those that suit the problem's lengths (KernelFamily::relaunched).
  [[nodiscard]] std::shared_ptr<const Kernel> relaunched(const Problem& problem) const;

  [[nodiscard]] const Binary& binary() const noexcept { return *binary_; }
  [[nodiscard]] const Config& config() const noexcept { return config_; }
  [[nodiscard]] const Device& device() const noexcept { return *device_; }
  [[nodiscard]] const Module& module() const noexcept { return *module_; }

  // Bytes a call at this problem's sizes needs; at a multiple of 64 on hosts, of 256 on GPUs. Throws RefusalError for a
  // problem of another class.
  [[nodiscard]] std::size_t workspace_bytes(const Problem& problem) const;

  // Prepares a call: evaluates every launch expression and fills the arguments, once. The pointers in `tensors` and the
  // workspace (may hold garbage; one workspace, one launch in flight) must stay valid while the Binding is launched.
  // A problem without rows (len_q = 0) binds to nothing; one without keys (len_kv = 0) gives O = 0 and LSE = -inf.
  // Strides may be 0 (but in outputs) or negative. Throws RefusalError for a problem of another class, null pointers,
  // misaligned rows or strides, tensors beyond 64-bit offsets, a small workspace.
  [[nodiscard]] Binding bind(const Problem& problem, const AttentionTensors& tensors, void* workspace,
                             std::size_t workspace_size) const;

 private:
  Kernel() = default;
  Kernel(const Kernel&) = default;
  // Checks the problem and evaluates every launch expression at its sizes.
  [[nodiscard]] AttentunePreparedCall prepare(const Problem& problem) const;

  std::shared_ptr<const Device> device_;
  std::shared_ptr<const Module> module_;
  Problem problem_;
  Config config_;
  std::shared_ptr<const Binary> binary_;
  const KernelFamily* family_ = nullptr;  // that made it; null when no family has its name
};

// A prepared call. launch() allocates nothing and may be repeated; on a host it returns when the call has ended, on a
// GPU when it is queued on the stream.
class Binding {
 public:
  void launch(Stream stream = nullptr) const;
  // Milliseconds of `calls` calls, by the device's clock; returns when they have ended.
  [[nodiscard]] double time_ms(int calls) const;

 private:
  friend class Kernel;
  std::shared_ptr<const Kernel> kernel_;
  BoundCall call_;
};

}  // namespace attentune
