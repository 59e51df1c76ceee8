// attentune for C++17 and later: the C interface with owners, values and exceptions. Header-only; link libattentune.
//
//   attentune::Runtime runtime;
//   attentune::Problem problem("dtype=f32 heads=32/8 head_dim=128 seq=4096 mask=causal()");
//   attentune::Kernel kernel = runtime.kernel(problem);                 // <= 200 ns once it is known
//   attentune::Binding call = kernel.bind(problem, {q, k, v, out});     // pointers; C order unless strides are given
//   call.launch();                                                      // as often as you like; allocates nothing
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>

#include "attentune.h"

namespace attentune {

// What a call could not do: the reason and, where there is one, the next step.
class Error : public std::runtime_error {
 public:
  Error(attentune_status status, const char* sentence) : std::runtime_error(sentence), status_(status) {}
  [[nodiscard]] attentune_status status() const noexcept { return status_; }

 private:
  attentune_status status_;
};

namespace detail {

inline void check(const attentune_status status) {
  if (status != ATTENTUNE_OK) {
    throw Error(status, attentune_last_error());
  }
}

template <typename Object, void (*release)(Object*)>
struct Release {
  void operator()(Object* const object) const noexcept { release(object); }
};
template <typename Object, void (*release)(Object*)>
using Handle = std::unique_ptr<Object, Release<Object, release>>;

}  // namespace detail

[[nodiscard]] inline std::string version() { return attentune_version(); }

// What to compute. The text's grammar: `attentune problems --help`.
class Problem {
 public:
  explicit Problem(const std::string& text) {
    attentune_problem* problem = nullptr;
    detail::check(attentune_problem_parse(text.c_str(), &problem));
    handle_.reset(problem);
  }

  // Other sizes of the same class. Not while another thread uses the problem.
  Problem& set_sizes(const std::int64_t batch, const std::int64_t len_q, const std::int64_t len_kv) {
    detail::check(attentune_problem_set_sizes(handle_.get(), batch, len_q, len_kv));
    return *this;
  }

  // Canonical text.
  [[nodiscard]] std::string text() const {
    std::size_t needed = 0;
    detail::check(attentune_problem_text(handle_.get(), nullptr, 0, &needed));
    std::string text(needed, '\0');
    detail::check(attentune_problem_text(handle_.get(), text.data(), text.size(), &needed));
    text.resize(needed - 1);
    return text;
  }

  [[nodiscard]] const attentune_problem* get() const noexcept { return handle_.get(); }

 private:
  detail::Handle<attentune_problem, attentune_problem_release> handle_;
};

// In elements; all 0: C order.
struct Strides {
  std::int64_t batch = 0;
  std::int64_t row = 0;
  std::int64_t head = 0;
};

// The operands of one call: Q [batch, len_q, heads_q, d], K and V [batch, len_kv, heads_kv, d], out like Q,
// lse f32 [batch, heads_q, len_q] (only with outputs=out,lse), sink_logit f32 [heads_q] (only with sink_logit=yes).
struct Tensors {
  const void* q = nullptr;
  const void* k = nullptr;
  const void* v = nullptr;
  void* out = nullptr;
  float* lse = nullptr;
  const float* sink_logit = nullptr;
  Strides q_strides = {};
  Strides k_strides = {};
  Strides v_strides = {};
  Strides out_strides = {};
  Strides lse_strides = {};

  [[nodiscard]] attentune_tensors c_struct() const noexcept {
    const auto view = [](const void* data, const Strides& strides) {
      attentune_tensor tensor{};
      tensor.data = const_cast<void*>(data);  // the library only reads q, k and v
      tensor.stride_batch = strides.batch;
      tensor.stride_row = strides.row;
      tensor.stride_head = strides.head;
      return tensor;
    };
    attentune_tensors tensors{};
    tensors.size = sizeof tensors;
    tensors.q = view(q, q_strides);
    tensors.k = view(k, k_strides);
    tensors.v = view(v, v_strides);
    tensors.out = view(out, out_strides);
    tensors.lse = lse;
    tensors.lse_stride_batch = lse_strides.batch;
    tensors.lse_stride_head = lse_strides.head;
    tensors.lse_stride_row = lse_strides.row;
    tensors.sink_logit = sink_logit;
    return tensors;
  }
};

// A prepared call. Pointers must stay valid; one launch in flight at a time. Keeps its kernel alive.
class Binding {
 public:
  // stream: a CUstream on GPUs (null: the default stream); a host returns when the call has ended.
  void launch(void* const stream = nullptr) const { detail::check(attentune_launch(handle_.get(), stream)); }

 private:
  friend class Kernel;
  explicit Binding(attentune_binding* const binding) : handle_(binding) {}
  detail::Handle<attentune_binding, attentune_binding_release> handle_;
};

// How a kernel was found and how far it was checked.
struct KernelInfo {
  std::string family;
  std::string config;
  std::string trust;       // compiled_only, verified_elsewhere, verified_here
  std::string provenance;  // exact_bucket, nearest_bucket, stale, default_config
  double tuned_ms = 0;     // the winner's time at its bucket; 0 if none
};

// Code for one class of problems. Usable from any thread, and after its Runtime is gone.
class Kernel {
 public:
  [[nodiscard]] KernelInfo info() const {
    attentune_kernel_info info{};
    info.size = sizeof info;
    detail::check(attentune_kernel_describe(handle_.get(), &info));
    return {info.family, info.config, info.trust, info.provenance, info.tuned_ms};
  }

  // Bytes of workspace a call at the problem's sizes needs: 64-byte aligned on hosts, 256-byte on GPUs.
  [[nodiscard]] std::size_t workspace_bytes(const Problem& problem) const {
    std::size_t bytes = 0;
    detail::check(attentune_workspace_bytes(handle_.get(), problem.get(), &bytes));
    return bytes;
  }

  // Without a workspace the binding allocates its own.
  [[nodiscard]] Binding bind(const Problem& problem, const Tensors& tensors, void* const workspace = nullptr,
                             const std::size_t workspace_bytes = 0) const {
    const attentune_tensors views = tensors.c_struct();
    attentune_binding* binding = nullptr;
    detail::check(attentune_bind(handle_.get(), problem.get(), &views, workspace, workspace_bytes, &binding));
    return Binding(binding);
  }

 private:
  friend class Runtime;
  explicit Kernel(attentune_kernel* const kernel) : handle_(kernel) {}
  detail::Handle<attentune_kernel, attentune_kernel_release> handle_;
};

struct Options {
  std::optional<std::string> device;  // default: the best of this machine
  std::optional<std::string> store;   // path; default: the user's store; "": remember nothing
  attentune_policy policy = ATTENTUNE_POLICY_DEFAULT;
  bool strict = false;                                 // verify a kernel on the probe set before its first use
  int threads = 0;                                     // host: 0 = all CPUs of this process
  const attentune_executor* executor = nullptr;        // the caller's threads instead of an own pool; copied
  std::function<void(std::string_view sentence)> log;  // any thread, one at a time
};

// Kernels for one device, and the store that remembers them.
class Runtime {
 public:
  explicit Runtime(Options options = {}) : log_(std::make_unique<Log>(std::move(options.log))) {
    attentune_options c_options{};
    c_options.size = sizeof c_options;
    c_options.device = options.device ? options.device->c_str() : nullptr;
    c_options.store = options.store ? options.store->c_str() : nullptr;
    c_options.policy = options.policy;
    c_options.strict = options.strict ? 1 : 0;
    c_options.threads = options.threads;
    c_options.executor = options.executor;
    if (*log_) {
      c_options.log = [](void* const user, const char* const sentence) { (*static_cast<const Log*>(user))(sentence); };
      c_options.log_user = log_.get();
    }
    attentune_runtime* runtime = nullptr;
    detail::check(attentune_runtime_create(&c_options, &runtime));
    handle_.reset(runtime);
  }

  // The best kernel at hand: at most 200 ns when it is known, otherwise as the policy says.
  [[nodiscard]] Kernel kernel(const Problem& problem) const {
    attentune_kernel* kernel = nullptr;
    detail::check(attentune_kernel_get(handle_.get(), problem.get(), &kernel));
    return Kernel(kernel);
  }

  // Looks up, allocates workspace, runs: for trying things out.
  void run(const Problem& problem, const Tensors& tensors) const {
    const attentune_tensors views = tensors.c_struct();
    detail::check(attentune_run(handle_.get(), problem.get(), &views));
  }

  // Waits for background compiles and store writes; throws with status ATTENTUNE_STORE_FAILED when the store could not
  // be written (see attentune_runtime_drain).
  void drain() const { detail::check(attentune_runtime_drain(handle_.get())); }

 private:
  using Log = std::function<void(std::string_view)>;
  std::unique_ptr<Log> log_;  // outlives the handle, which calls it
  detail::Handle<attentune_runtime, attentune_runtime_release> handle_;
};

}  // namespace attentune
