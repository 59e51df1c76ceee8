// The C interface: each function unwraps its handles, calls the line, and wraps what comes out.
#include "tuner/abi/attentune.h"

#include <algorithm>
#include <cstddef>
#include <cstring>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "generator/error.h"
#include "tuner/abi/guard.h"
#include "tuner/abi/handles.h"
#include "tuner/abi/sized_struct.h"

namespace {

using attentune::Status;
using attentune::abi::CallerLog;
using attentune::abi::guarded;
using attentune::abi::need;

// The C enum repeats the numbers of generator/error.h; they never change meaning.
static_assert(ATTENTUNE_OK == static_cast<int>(Status::ok) && ATTENTUNE_REFUSED == static_cast<int>(Status::refused) &&
              ATTENTUNE_MISS == static_cast<int>(Status::miss) &&
              ATTENTUNE_COMPILE_FAILED == static_cast<int>(Status::compile_failed) &&
              ATTENTUNE_WRONG == static_cast<int>(Status::wrong) &&
              ATTENTUNE_DEVICE_FAILED == static_cast<int>(Status::device_failed) &&
              ATTENTUNE_STORE_FAILED == static_cast<int>(Status::store_failed) &&
              ATTENTUNE_OUT_OF_MEMORY == static_cast<int>(Status::out_of_memory) &&
              ATTENTUNE_CAPTURING == static_cast<int>(Status::capturing) &&
              ATTENTUNE_MISUSE == static_cast<int>(Status::misuse) &&
              ATTENTUNE_CANCELLED == static_cast<int>(Status::cancelled) &&
              ATTENTUNE_INTERNAL == static_cast<int>(Status::internal));

// What the first version's callers must at least have: later fields may be missing.
constexpr std::size_t least_options = offsetof(attentune_options, device);
constexpr std::size_t least_tensors = offsetof(attentune_tensors, lse);
constexpr std::size_t least_info = offsetof(attentune_kernel_info, config);

bool is_c_order(const attentune_tensor& tensor) {
  return tensor.stride_batch == 0 && tensor.stride_row == 0 && tensor.stride_head == 0;
}

void fill(attentune::TensorView& view, const attentune_tensor& tensor) {
  view.data = tensor.data;
  if (!is_c_order(tensor)) {
    view.stride = {tensor.stride_batch, tensor.stride_row, tensor.stride_head};
  }
}

attentune::AttentionTensors views(const attentune::Problem& problem, const attentune_tensors* const given) {
  const attentune_tensors tensors = attentune::abi::read_sized(given, least_tensors, "attentune_tensors");
  attentune::AttentionTensors result = attentune::contiguous(problem);
  fill(result.q, tensors.q);
  fill(result.k, tensors.k);
  fill(result.v, tensors.v);
  fill(result.out, tensors.out);
  result.lse.data = tensors.lse;
  if (tensors.lse_stride_batch != 0 || tensors.lse_stride_head != 0 || tensors.lse_stride_row != 0) {
    result.lse.stride = {tensors.lse_stride_batch, tensors.lse_stride_head, tensors.lse_stride_row};
  }
  result.sink_logit = tensors.sink_logit;
  return result;
}

}  // namespace

const char* attentune_version(void) { return ATTENTUNE_VERSION; }

const char* attentune_status_text(const attentune_status status) {
  // Every meaning is a string literal of the table in error.cpp, so it ends with a zero.
  return attentune::meaning(static_cast<Status>(status)).data();
}

const char* attentune_last_error(void) { return attentune::abi::last_error(); }

attentune_status attentune_runtime_create(const attentune_options* const options, attentune_runtime** const runtime) {
  return guarded([&] {
    need(runtime, "runtime");
    *runtime = nullptr;
    CallerLog::refuse_inside("attentune_runtime_create");
    attentune_options read{};
    if (options != nullptr) {
      read = attentune::abi::read_sized(options, least_options, "attentune_options");
    }
    *runtime = std::make_unique<attentune_runtime>(attentune_runtime{attentune::abi::open_runtime(read)}).release();
  });
}

void attentune_runtime_release(attentune_runtime* const runtime) {
  const std::unique_ptr<attentune_runtime> owned(runtime);
  if (owned && owned->state->log) {
    owned->state->log->silence();
  }
}

attentune_status attentune_runtime_drain(attentune_runtime* const runtime) {
  return guarded([&] {
    need(runtime, "runtime");
    CallerLog::refuse_inside("attentune_runtime_drain");
    runtime->state->runtime->drain();
  });
}

attentune_status attentune_problem_parse(const char* const text, attentune_problem** const problem) {
  return guarded([&] {
    need(problem, "problem");
    *problem = nullptr;
    need(text, "text");
    *problem = std::make_unique<attentune_problem>(attentune_problem{attentune::parse_problem(text)}).release();
  });
}

void attentune_problem_release(attentune_problem* const problem) { delete problem; }

attentune_status attentune_problem_set_sizes(attentune_problem* const problem, const int64_t batch, const int64_t len_q,
                                             const int64_t len_kv) {
  return guarded([&] {
    need(problem, "problem");
    attentune::Problem changed = problem->problem;
    changed.batch = batch;
    changed.len_q = len_q;
    changed.len_kv = len_kv;
    if (const std::optional<attentune::Refusal> reason = attentune::refusal(changed)) {
      throw attentune::RefusalError(*reason);
    }
    problem->problem = std::move(changed);
  });
}

attentune_status attentune_problem_text(const attentune_problem* const problem, char* const text, const size_t capacity,
                                        size_t* const needed) {
  return guarded([&] {
    need(problem, "problem");
    const std::string whole = attentune::to_text(problem->problem);
    if (needed != nullptr) {
      *needed = whole.size() + 1;
    }
    if (capacity > 0) {
      need(text, "text");
      const std::size_t length = std::min(whole.size(), capacity - 1);
      std::memcpy(text, whole.data(), length);
      text[length] = '\0';
    }
  });
}

attentune_status attentune_kernel_get(attentune_runtime* const runtime, const attentune_problem* const problem,
                                      attentune_kernel** const kernel) {
  return guarded([&] {
    need(kernel, "kernel");
    *kernel = nullptr;
    need(runtime, "runtime");
    need(problem, "problem");
    CallerLog::refuse_inside("attentune_kernel_get");
    const attentune::Variant& variant = runtime->state->runtime->kernel(problem->problem);
    auto handle = std::make_unique<attentune_kernel>();
    handle->state = runtime->state;
    handle->variant = &variant;
    *kernel = handle.release();
  });
}

void attentune_kernel_release(attentune_kernel* const kernel) { delete kernel; }

attentune_status attentune_kernel_describe(const attentune_kernel* const kernel, attentune_kernel_info* const info) {
  return guarded([&] {
    need(kernel, "kernel");
    need(info, "info");
    const attentune::Variant& variant = *kernel->variant;
    std::call_once(kernel->described, [&] {
      kernel->config = attentune::to_text(variant.kernel->config());
      kernel->trust = attentune::name(variant.trust);
      kernel->provenance = attentune::name(variant.provenance);
    });
    const attentune_kernel_info filled{.size = sizeof(attentune_kernel_info),
                                       .family = variant.kernel->binary().family.c_str(),
                                       .config = kernel->config.c_str(),
                                       .trust = kernel->trust.c_str(),
                                       .provenance = kernel->provenance.c_str(),
                                       .tuned_ms = variant.tuned_ms};
    attentune::abi::write_sized(info, filled, least_info, "attentune_kernel_info");
  });
}

attentune_status attentune_workspace_bytes(const attentune_kernel* const kernel, const attentune_problem* const problem,
                                           size_t* const bytes) {
  return guarded([&] {
    need(kernel, "kernel");
    need(problem, "problem");
    need(bytes, "bytes");
    *bytes = kernel->variant->kernel->workspace_bytes(problem->problem);
  });
}

attentune_status attentune_bind(const attentune_kernel* const kernel, const attentune_problem* const problem,
                                const attentune_tensors* const tensors, void* const workspace,
                                const size_t workspace_bytes, attentune_binding** const binding) {
  return guarded([&] {
    need(binding, "binding");
    *binding = nullptr;
    need(kernel, "kernel");
    need(problem, "problem");
    need(tensors, "tensors");
    const attentune::Kernel& own = *kernel->variant->kernel;
    auto handle = std::make_unique<attentune_binding>();
    void* memory = workspace;
    std::size_t size = workspace_bytes;
    if (workspace == nullptr) {
      size = own.workspace_bytes(problem->problem);
      handle->workspace = attentune::DeviceBuffer(own.device().memory(), size);
      memory = handle->workspace.data();
    }
    handle->binding = own.bind(problem->problem, views(problem->problem, tensors), memory, size);
    handle->state = kernel->state;
    *binding = handle.release();
  });
}

attentune_status attentune_launch(const attentune_binding* const binding, void* const stream) {
  return guarded([&] {
    need(binding, "binding");
    binding->binding.launch(stream);
  });
}

void attentune_binding_release(attentune_binding* const binding) { delete binding; }

attentune_status attentune_run(attentune_runtime* const runtime, const attentune_problem* const problem,
                               const attentune_tensors* const tensors) {
  return guarded([&] {
    need(runtime, "runtime");
    need(problem, "problem");
    need(tensors, "tensors");
    CallerLog::refuse_inside("attentune_run");
    const attentune::Kernel& kernel = *runtime->state->runtime->kernel(problem->problem).kernel;
    const std::size_t bytes = kernel.workspace_bytes(problem->problem);
    const attentune::DeviceBuffer workspace(kernel.device().memory(), bytes);
    kernel.bind(problem->problem, views(problem->problem, tensors), workspace.data(), bytes).launch();
    kernel.device().synchronize();
  });
}
