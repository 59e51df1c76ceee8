#include "runtime/cuda/gpu_device.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <string>
#include <type_traits>
#include <utility>

#include "generator/error.h"
#include "runtime/cuda/gpu_module.h"
#include "runtime/cuda/gpu_timer.h"

namespace attentune::cuda {
namespace {

constexpr int first_with_clusters = 90;  // compute capability 9.0: clusters, programmatic launches, tensor maps

// Limits of a launch: CUDA C++ Programming Guide, "Compute Capabilities", technical specifications.
constexpr std::int64_t most_blocks_x = INT32_MAX;
constexpr std::int64_t most_blocks_yz = 65535;
constexpr std::int64_t most_threads = 1024;
constexpr std::int64_t most_blocks_in_cluster = 8;

CuDevice device_at(const Driver& driver, const int ordinal) {
  const int count = driver.device_count();
  if (ordinal < 0 || ordinal >= count)
    throw RefusalError({.field = "device",
                        .value = fmt::format("gpu:{}", ordinal),
                        .limit = fmt::format("the driver shows {} GPU(s), counted from 0", count),
                        .remedy = count > 0 ? "use gpu:0" : "use --device host"});
  CuDevice device = 0;
  driver.check(driver.DeviceGet(&device, ordinal), "opening the GPU");
  return device;
}

[[noreturn]] void refuse_launch(const char* const field, const std::string& value, std::string limit) {
  throw RefusalError({.field = field, .value = value, .limit = std::move(limit), .remedy = "use another Config"});
}

unsigned narrow(const std::int64_t value) noexcept { return static_cast<unsigned>(value); }  // checked at bind

bool is_empty(const AttentunePreparedLaunch& launch) noexcept {
  return std::ranges::any_of(launch.grid, [](const std::int64_t blocks) { return blocks == 0; });
}

}  // namespace

GpuDevice::GpuDevice(const std::shared_ptr<const Driver>& driver, const int ordinal, CompilerOptions options)
    : GpuDevice(driver, device_at(*driver, ordinal), gpu_facts(*driver, device_at(*driver, ordinal)),
                std::move(options)) {}

GpuDevice::GpuDevice(std::shared_ptr<const Driver> driver, const CuDevice device, GpuFacts gpu, CompilerOptions options)
    : context_(std::make_shared<const GpuContext>(std::move(driver), device)),
      gpu_(std::move(gpu)),
      memory_(context_),
      compiler_options_(std::move(options)) {
  compiler_options_.driver = context_->driver().version();
  if (compiler_options_.watchdog_polls > 0)
    watchdog_ = std::make_unique<const GpuWatchdog>(context_);
}

const Compiler& GpuDevice::compiler() const {
  const std::lock_guard lock(compiler_mutex_);
  if (!compiler_)
    compiler_ = cuda_compiler_for(gpu_.arch, compiler_options_);
  return *compiler_;
}

std::shared_ptr<const Module> GpuDevice::load(const Binary& binary) const {
  return std::make_shared<GpuModule>(context_, gpu_, binary);
}

void GpuDevice::check(const Module& module, const AttentunePreparedCall& call) const {
  const std::vector<GpuEntry>& entries = static_cast<const GpuModule&>(module).entries();
  for (int index = 0; index < call.launch_count; ++index) {
    const AttentunePreparedLaunch& launch = call.launches[index];
    const std::int64_t limit = entries[static_cast<std::size_t>(index)].dynamic_shared_limit;
    if (launch.shared_bytes > limit)
      refuse_launch("shared memory", fmt::format("{} bytes", launch.shared_bytes),
                    fmt::format("a block of this kernel has at most {} bytes on {}", limit, gpu_.identity.name));
    if (launch.grid[0] > most_blocks_x || launch.grid[1] > most_blocks_yz || launch.grid[2] > most_blocks_yz)
      refuse_launch("grid", fmt::format("{}x{}x{}", launch.grid[0], launch.grid[1], launch.grid[2]),
                    "a grid has at most 2147483647 x 65535 x 65535 blocks");
    // Each side first: their product must not overflow.
    const auto product_within = [](const std::int64_t(&sides)[3], const std::int64_t most) {
      return std::ranges::all_of(sides, [&](const std::int64_t side) { return side <= most; }) &&
             sides[0] * sides[1] * sides[2] <= most;
    };
    if (!product_within(launch.block, most_threads))
      refuse_launch("block", fmt::format("{}x{}x{}", launch.block[0], launch.block[1], launch.block[2]),
                    "a block has at most 1024 threads");
    const std::int64_t most_cluster = gpu_.compute_capability >= first_with_clusters ? most_blocks_in_cluster : 1;
    if (!product_within(launch.cluster, most_cluster))
      refuse_launch("cluster", fmt::format("{}x{}x{}", launch.cluster[0], launch.cluster[1], launch.cluster[2]),
                    fmt::format("a cluster has at most {} block(s) on {}", most_cluster, gpu_.arch.name));
  }
}

void GpuDevice::launch(const Module& module, const BoundCall& call, const Stream stream) const {
  const Driver& driver = context_->driver();
  const std::vector<GpuEntry>& entries = static_cast<const GpuModule&>(module).entries();
  for (int index = 0; index < call.prepared.launch_count; ++index) {
    const AttentunePreparedLaunch& launch = call.prepared.launches[index];
    if (is_empty(launch))
      continue;
    const auto rule = static_cast<std::size_t>(index);
    const GpuEntry& entry = entries[rule];

    AttentionArgs arguments;
    attentune_launch_args(&call.prepared, index, 0, &arguments);
    arguments.watchdog_report = watchdog_ ? watchdog_->report() : nullptr;
    std::array<void*, most_parameters> parameters{};
    std::ranges::transform(entry.parameters, parameters.begin(), [&](const int parameter) -> void* {
      if (parameter == GpuEntry::arguments)
        return &arguments;
      // The driver copies what it is pointed to, and writes nothing.
      return const_cast<TensorMap*>(&call.tensor_maps[rule][static_cast<std::size_t>(parameter)]);
    });

    std::array<CuLaunchAttribute, 2> attributes{};
    unsigned attribute_count = 0;
    if (launch.cluster[0] * launch.cluster[1] * launch.cluster[2] > 1) {
      CuLaunchAttribute& cluster = attributes[attribute_count++];
      cluster.id = CuLaunchAttributeId::cluster_dimension;
      std::ranges::transform(launch.cluster, cluster.value.cluster, narrow);
    }
    // The first launch of a call always waits for what the stream held before.
    if (index > 0 && launch.depends_on_previous == 0 && gpu_.compute_capability >= first_with_clusters) {
      CuLaunchAttribute& overlap = attributes[attribute_count++];
      overlap.id = CuLaunchAttributeId::programmatic_stream_serialization;
      overlap.value.programmatic_stream_serialization_allowed = 1;
    }
    const CuLaunchConfig config{.grid = {narrow(launch.grid[0]), narrow(launch.grid[1]), narrow(launch.grid[2])},
                                .block = {narrow(launch.block[0]), narrow(launch.block[1]), narrow(launch.block[2])},
                                .shared_bytes = narrow(launch.shared_bytes),
                                .stream = static_cast<CuStream>(stream),
                                .attributes = attribute_count > 0 ? attributes.data() : nullptr,
                                .attribute_count = attribute_count};
    CuResult result = driver.LaunchKernelEx(&config, entry.function, parameters.data(), nullptr);
    if (result == CuResult::invalid_context || result == CuResult::invalid_handle) {
      // This thread has no context, or another GPU's. Asking first would cost every launch a driver call.
      const GpuContext::Scope scope(*context_);
      result = driver.LaunchKernelEx(&config, entry.function, parameters.data(), nullptr);
    }
    if (result != CuResult::success)
      driver.check(result, std::string("launching ") + launch.entry);
  }
}

TensorMap GpuDevice::encode(const TensorMapShape& shape) const {
  const Driver& driver = context_->driver();
  if (gpu_.compute_capability < first_with_clusters || driver.TensorMapEncodeTiled == nullptr)
    return Device::encode(shape);
  const auto type = [&] {
    switch (shape.dtype) {
      case Dtype::f32:
        return CuTensorMapType::f32;
      case Dtype::f16:
        return CuTensorMapType::f16;
      case Dtype::bf16:
        return CuTensorMapType::bf16;
      case Dtype::e4m3:
      case Dtype::e5m2:
        break;
    }
    return CuTensorMapType::u8;
  }();
  const auto swizzle = [&] {
    switch (shape.swizzle_bytes) {
      case 32:
        return CuTensorMapSwizzle::bytes_32;
      case 64:
        return CuTensorMapSwizzle::bytes_64;
      case 128:
        return CuTensorMapSwizzle::bytes_128;
      default:
        return CuTensorMapSwizzle::none;
    }
  }();
  constexpr std::array<std::uint32_t, TensorMapShape::rank> element_strides{1, 1, 1, 1};
  TensorMap map;
  const GpuContext::Scope scope(*context_);  // the driver looks the address up
  driver.check(driver.TensorMapEncodeTiled(map.bytes.data(), type, TensorMapShape::rank, shape.address,
                                           shape.size.data(), shape.stride_bytes.data(), shape.box.data(),
                                           element_strides.data(), 0, swizzle, CuTensorMapPromotion::l2_128b, 0),
               "describing a tensor to the GPU");
  return map;
}

void GpuDevice::synchronize() const {
  const GpuContext::Scope scope(*context_);
  const CuResult result = context_->driver().CtxSynchronize();
  const std::string reported = watchdog_ && result != CuResult::success ? watchdog_->sentence() : "";
  if (!reported.empty())
    throw Error(Status::device_failed, reported + "; start the process anew");
  context_->driver().check(result, "running a kernel");
}

double GpuDevice::time_ms(const std::function<void(Stream)>& call, const int calls) const {
  return time_calls(*context_, call, calls);
}

}  // namespace attentune::cuda
