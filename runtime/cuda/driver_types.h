// The few types of the CUDA driver API that attentune uses, declared anew so that no toolkit is needed to build it
// (CUDA Driver API 13.0; layouts and numbers are checked against cuda.h in check_declarations.cpp where there is one).
#pragma once

#include <cstddef>
#include <cstdint>

namespace attentune::cuda {

enum class CuResult : int {
  success = 0,
  invalid_value = 1,
  out_of_memory = 2,
  stub_library = 34,
  device_unavailable = 46,
  no_device = 100,
  invalid_image = 200,
  invalid_context = 201,
  no_binary_for_gpu = 209,
  unsupported_ptx_version = 222,
  invalid_handle = 400,
  not_found = 500,
  illegal_address = 700,
  launch_out_of_resources = 701,
  launch_timeout = 702,
  context_is_destroyed = 709,
  assert_failed = 710,
  hardware_stack_error = 714,
  launch_failed = 719,
  not_supported = 801,
  system_driver_mismatch = 803,
  compat_not_supported_on_device = 804,
  capture_unsupported = 900,
  capture_wrong_thread = 908,
};

using CuDevice = int;
using CuDevicePtr = unsigned long long;
using CuContext = struct CuContextHandle*;
using CuModule = struct CuModuleHandle*;
using CuFunction = struct CuFunctionHandle*;
using CuStream = struct CuStreamHandle*;
using CuEvent = struct CuEventHandle*;
using CuGraph = struct CuGraphHandle*;
using CuGraphExec = struct CuGraphExecHandle*;

enum class CuDeviceAttribute : int {
  multiprocessor_count = 16,
  memory_bus_width = 37,
  l2_cache_size = 38,
  compute_capability_major = 75,
  compute_capability_minor = 76,
  max_shared_memory_per_block_optin = 97,
};

enum class CuFunctionAttribute : int {
  shared_size_bytes = 1,
  max_dynamic_shared_size_bytes = 8,
};

enum class CuLaunchAttributeId : int {
  cluster_dimension = 4,
  programmatic_stream_serialization = 6,
};

struct CuLaunchAttribute {
  CuLaunchAttributeId id;
  char pad[4];
  union {
    char bytes[64];
    unsigned cluster[3];
    int programmatic_stream_serialization_allowed;
  } value;
};

struct CuLaunchConfig {
  unsigned grid[3];
  unsigned block[3];
  unsigned shared_bytes;
  CuStream stream;
  CuLaunchAttribute* attributes;
  unsigned attribute_count;
};

inline constexpr unsigned stream_non_blocking = 1;
enum class CuCaptureMode : int { global = 0, thread_local_ = 1, relaxed = 2 };

// Of cuTensorMapEncodeTiled.
enum class CuTensorMapType : int { u8 = 0, f16 = 6, f32 = 7, bf16 = 9 };
enum class CuTensorMapSwizzle : int { none = 0, bytes_32 = 1, bytes_64 = 2, bytes_128 = 3 };
enum class CuTensorMapPromotion : int { none = 0, l2_128b = 2 };

}  // namespace attentune::cuda
