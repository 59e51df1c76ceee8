#include "runtime/kernel.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstdint>
#include <optional>
#include <utility>

#include "generator/error.h"
#include "generator/key.h"
#include "runtime/call_checks.h"

namespace attentune {
namespace {

// generator/launch_rule.h: slices, and so the workspace, begin at multiples of this.
std::int64_t slice_alignment(const Arch& arch) noexcept { return arch.is_host() ? 64 : 256; }

std::optional<std::int64_t> integer(const std::string& text) {
  std::int64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  return error == std::errc{} && end == text.data() + text.size() ? std::optional(value) : std::nullopt;
}

// Names and values of generator/launch_rule.h. Names point into `config`.
std::vector<AttentuneScalar> launch_scalars(const Problem& problem, const Config& config, const int workers) {
  std::vector<AttentuneScalar> scalars{
      {"batch", problem.batch},
      {"heads_q", problem.heads_q},
      {"heads_kv", problem.heads_kv},
      {"group", problem.group()},
      {"len_q", problem.len_q},
      {"len_kv", problem.len_kv},
      {"head_dim_qk", problem.head_dim_qk},
      {"head_dim_v", problem.head_dim_v},
      {"workers", workers},
  };
  for (const Choice& choice : config.choices()) {
    const std::optional<std::int64_t> value = integer(choice.value);
    if (choice.kind == ChoiceKind::launch && value) {
      scalars.push_back({choice.name.c_str(), *value});
    }
  }
  return scalars;
}

// The rules as launch.c reads them; pointers into `rules` and `slices`.
std::vector<AttentuneLaunchText> launch_texts(const std::vector<LaunchRule>& rules,
                                              std::vector<std::vector<AttentuneSliceText>>& slices) {
  std::vector<AttentuneLaunchText> texts;
  slices.reserve(rules.size());
  for (const LaunchRule& rule : rules) {
    std::vector<AttentuneSliceText>& own = slices.emplace_back();
    for (const WorkspaceSlice& slice : rule.workspace) {
      own.push_back({.name = slice.name.c_str(), .bytes = slice.bytes.c_str(), .per_worker = slice.per_worker ? 1 : 0});
    }
    texts.push_back({.entry = rule.entry.c_str(),
                     .grid = {rule.grid[0].c_str(), rule.grid[1].c_str(), rule.grid[2].c_str()},
                     .block = {rule.block[0].c_str(), rule.block[1].c_str(), rule.block[2].c_str()},
                     .cluster = {rule.cluster[0].c_str(), rule.cluster[1].c_str(), rule.cluster[2].c_str()},
                     .shared_bytes = rule.shared_bytes.c_str(),
                     .slices = own.data(),
                     .slice_count = static_cast<int>(std::min<std::size_t>(own.size(), INT32_MAX)),
                     .depends_on_previous = rule.depends_on_previous ? 1 : 0});
  }
  return texts;
}

// A family has limits of sizes too, and sizes are no part of the class.
void check_problem(const Problem& problem, const Problem& of_kernel, const KernelFamily* const family,
                   const Arch& arch) {
  if (const std::optional<Refusal> reason = refusal(problem)) {
    throw RefusalError(*reason);
  }
  if (!same_class(problem, of_kernel)) {
    throw RefusalError({.field = "problem",
                        .value = to_text(problem),
                        .limit = "this kernel serves the class " + class_text(of_kernel),
                        .remedy = "look up a kernel for this problem"});
  }
  if (const std::optional<Refusal> reason = family != nullptr ? family->refusal(problem, arch) : std::nullopt) {
    throw RefusalError(*reason);
  }
}

void fill_arguments(const Problem& problem, const Config& config, const AttentionTensors& tensors,
                    AttentionArgs& args) {
  args.q = tensors.q.data;
  args.k = tensors.k.data;
  args.v = tensors.v.data;
  args.out = tensors.out.data;
  args.lse = tensors.lse.data;
  args.sink_logit = tensors.sink_logit;
  std::ranges::copy(tensors.q.stride, args.q_stride);
  std::ranges::copy(tensors.k.stride, args.k_stride);
  std::ranges::copy(tensors.v.stride, args.v_stride);
  std::ranges::copy(tensors.out.stride, args.out_stride);
  std::ranges::copy(tensors.lse.stride, args.lse_stride);
  args.batch = problem.batch;
  args.heads_q = problem.heads_q;
  args.heads_kv = problem.heads_kv;
  args.len_q = problem.len_q;
  args.len_kv = problem.len_kv;
  const std::vector<std::int64_t>& arguments = problem.mask.arguments;
  std::ranges::copy_n(arguments.begin(), std::min(std::ssize(arguments), std::ssize(args.mask_arguments)),
                      args.mask_arguments);
  std::size_t next = 0;
  for (const Choice& choice : config.choices()) {
    const std::optional<std::int64_t> value = integer(choice.value);
    if (choice.kind == ChoiceKind::launch && value && next < std::size(args.launch_choices)) {
      args.launch_choices[next++] = *value;
    }
  }
  args.scale = static_cast<float>(problem.effective_scale());
}

}  // namespace

std::shared_ptr<const Kernel> Kernel::load(std::shared_ptr<const Device> device, const Problem& problem,
                                           const Config& config, Binary binary) {
  const std::shared_ptr<Kernel> kernel(new Kernel);
  kernel->module_ = device->load(binary);
  kernel->device_ = std::move(device);
  kernel->problem_ = problem;
  kernel->config_ = config;
  kernel->family_ = find_family(binary.family);
  kernel->binary_ = std::make_shared<const Binary>(std::move(binary));
  return kernel;
}

std::shared_ptr<const Kernel> Kernel::with_config(const Config& config) const {
  if (config.compile_text() != config_.compile_text()) {
    throw Error(Status::internal, "the kernel was compiled for '" + config_.compile_text() + "', not for '" +
                                      config.compile_text() + "'");
  }
  const std::shared_ptr<Kernel> kernel(new Kernel(*this));
  kernel->config_ = config;
  return kernel;
}

std::shared_ptr<const Kernel> Kernel::relaunched(const Problem& problem) const {
  return with_config(family_ == nullptr ? config_ : family_->relaunched(problem, device_->arch(), config_));
}

AttentunePreparedCall Kernel::prepare(const Problem& problem) const {
  check_problem(problem, problem_, family_, device_->arch());
  const std::vector<AttentuneScalar> scalars = launch_scalars(problem, config_, device_->workers());
  std::vector<std::vector<AttentuneSliceText>> slices;
  const std::vector<AttentuneLaunchText> texts = launch_texts(binary_->launches, slices);
  AttentunePreparedCall call{};
  const int error = attentune_prepare(texts.data(), static_cast<int>(texts.size()), scalars.data(),
                                      static_cast<int>(scalars.size()), slice_alignment(device_->arch()), &call);
  if (error != 0) {
    // Rules come with the Binary, so a rule that cannot be read at sound sizes is a size beyond 64 bits or a bad file.
    throw Error(Status::device_failed, "launch " + std::to_string(error / 1000) + " of kernel " + binary_->family +
                                           " cannot be prepared for '" + to_text(problem) + "' (position " +
                                           std::to_string(error % 1000 - 1) +
                                           " of an expression); use smaller sizes, or run: attentune cache verify");
  }
  return call;
}

std::size_t Kernel::workspace_bytes(const Problem& problem) const {
  return static_cast<std::size_t>(prepare(problem).workspace_bytes);
}

Binding Kernel::bind(const Problem& problem, const AttentionTensors& tensors, void* const workspace,
                     const std::size_t workspace_size) const {
  Binding binding;
  binding.call_.prepared = prepare(problem);
  binding.kernel_ = shared_from_this();
  binding.call_.operands = check_tensors(problem, tensors);
  AttentunePreparedCall& call = binding.call_.prepared;
  const auto needed = static_cast<std::size_t>(call.workspace_bytes);
  if (needed > workspace_size || (needed > 0 && workspace == nullptr)) {
    throw RefusalError({.field = "workspace",
                        .value = workspace == nullptr ? "null" : std::to_string(workspace_size) + " bytes",
                        .limit = "this call needs " + std::to_string(needed) + " bytes",
                        .remedy = "ask workspace_bytes for the size at this problem"});
  }
  const std::int64_t alignment = slice_alignment(device_->arch());
  if (reinterpret_cast<std::uintptr_t>(workspace) % static_cast<std::uintptr_t>(alignment) != 0) {
    throw RefusalError({.field = "workspace",
                        .value = "its address",
                        .limit = "it must be a multiple of " + std::to_string(alignment) + " bytes",
                        .remedy = "align the memory"});
  }
  call.workspace = static_cast<char*>(workspace);
  fill_arguments(problem, config_, tensors, call.args);
  if (problem.len_q == 0) {
    call.launch_count = 0;  // nothing to write
    return binding;
  }
  device_->check(*module_, call);
  const std::vector<AttentuneScalar> scalars = launch_scalars(problem, config_, device_->workers());
  for (const LaunchRule& rule : binary_->launches) {
    std::vector<TensorMap>& maps = binding.call_.tensor_maps.emplace_back();
    for (const TensorMapSpec& spec : rule.tensor_maps) {
      maps.push_back(device_->encode(tensor_map_shape(spec, problem, tensors, scalars)));
    }
  }
  return binding;
}

void Binding::launch(const Stream stream) const {
  if (kernel_) {
    kernel_->device().launch(kernel_->module(), call_, stream);
  }
}

double Binding::time_ms(const int calls) const {
  return kernel_ ? kernel_->device().time_ms([this](const Stream stream) { launch(stream); }, calls) : 0;
}

}  // namespace attentune
