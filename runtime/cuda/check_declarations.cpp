// Our declarations against the toolkit's headers, where the build machine has them.
#if __has_include(<cuda.h>) && __has_include(<nvrtc.h>)
#include <cuda.h>
#include <nvrtc.h>

#include "runtime/cuda/driver_types.h"
#include "runtime/cuda/nvrtc.h"
#include "runtime/tensor_map.h"

namespace attentune::cuda {
namespace {

template <auto Ours, auto Theirs>
constexpr bool same = static_cast<int>(Ours) == static_cast<int>(Theirs);

static_assert(same<CuResult::out_of_memory, CUDA_ERROR_OUT_OF_MEMORY>);
static_assert(same<CuResult::stub_library, CUDA_ERROR_STUB_LIBRARY>);
static_assert(same<CuResult::device_unavailable, CUDA_ERROR_DEVICE_UNAVAILABLE>);
static_assert(same<CuResult::no_device, CUDA_ERROR_NO_DEVICE>);
static_assert(same<CuResult::invalid_image, CUDA_ERROR_INVALID_IMAGE>);
static_assert(same<CuResult::invalid_context, CUDA_ERROR_INVALID_CONTEXT>);
static_assert(same<CuResult::no_binary_for_gpu, CUDA_ERROR_NO_BINARY_FOR_GPU>);
static_assert(same<CuResult::unsupported_ptx_version, CUDA_ERROR_UNSUPPORTED_PTX_VERSION>);
static_assert(same<CuResult::invalid_handle, CUDA_ERROR_INVALID_HANDLE>);
static_assert(same<CuResult::not_found, CUDA_ERROR_NOT_FOUND>);
static_assert(same<CuResult::illegal_address, CUDA_ERROR_ILLEGAL_ADDRESS>);
static_assert(same<CuResult::launch_out_of_resources, CUDA_ERROR_LAUNCH_OUT_OF_RESOURCES>);
static_assert(same<CuResult::launch_timeout, CUDA_ERROR_LAUNCH_TIMEOUT>);
static_assert(same<CuResult::context_is_destroyed, CUDA_ERROR_CONTEXT_IS_DESTROYED>);
static_assert(same<CuResult::assert_failed, CUDA_ERROR_ASSERT>);
static_assert(same<CuResult::hardware_stack_error, CUDA_ERROR_HARDWARE_STACK_ERROR>);
static_assert(same<CuResult::launch_failed, CUDA_ERROR_LAUNCH_FAILED>);
static_assert(same<CuResult::not_supported, CUDA_ERROR_NOT_SUPPORTED>);
static_assert(same<CuResult::system_driver_mismatch, CUDA_ERROR_SYSTEM_DRIVER_MISMATCH>);
static_assert(same<CuResult::compat_not_supported_on_device, CUDA_ERROR_COMPAT_NOT_SUPPORTED_ON_DEVICE>);
static_assert(same<CuResult::capture_unsupported, CUDA_ERROR_STREAM_CAPTURE_UNSUPPORTED>);
static_assert(same<CuResult::capture_wrong_thread, CUDA_ERROR_STREAM_CAPTURE_WRONG_THREAD>);

static_assert(same<CuDeviceAttribute::multiprocessor_count, CU_DEVICE_ATTRIBUTE_MULTIPROCESSOR_COUNT>);
static_assert(same<CuDeviceAttribute::memory_bus_width, CU_DEVICE_ATTRIBUTE_GLOBAL_MEMORY_BUS_WIDTH>);
static_assert(same<CuDeviceAttribute::l2_cache_size, CU_DEVICE_ATTRIBUTE_L2_CACHE_SIZE>);
static_assert(same<CuDeviceAttribute::compute_capability_major, CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MAJOR>);
static_assert(same<CuDeviceAttribute::compute_capability_minor, CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MINOR>);
static_assert(
    same<CuDeviceAttribute::max_shared_memory_per_block_optin, CU_DEVICE_ATTRIBUTE_MAX_SHARED_MEMORY_PER_BLOCK_OPTIN>);
static_assert(same<CuFunctionAttribute::shared_size_bytes, CU_FUNC_ATTRIBUTE_SHARED_SIZE_BYTES>);
static_assert(
    same<CuFunctionAttribute::max_dynamic_shared_size_bytes, CU_FUNC_ATTRIBUTE_MAX_DYNAMIC_SHARED_SIZE_BYTES>);

static_assert(same<CuLaunchAttributeId::cluster_dimension, CU_LAUNCH_ATTRIBUTE_CLUSTER_DIMENSION>);
static_assert(same<CuLaunchAttributeId::programmatic_stream_serialization,
                   CU_LAUNCH_ATTRIBUTE_PROGRAMMATIC_STREAM_SERIALIZATION>);
static_assert(sizeof(CuLaunchAttribute) == sizeof(CUlaunchAttribute));
static_assert(offsetof(CuLaunchAttribute, value) == offsetof(CUlaunchAttribute, value));
static_assert(sizeof(CuLaunchConfig) == sizeof(CUlaunchConfig));
static_assert(offsetof(CuLaunchConfig, block) == offsetof(CUlaunchConfig, blockDimX));
static_assert(offsetof(CuLaunchConfig, shared_bytes) == offsetof(CUlaunchConfig, sharedMemBytes));
static_assert(offsetof(CuLaunchConfig, stream) == offsetof(CUlaunchConfig, hStream));
static_assert(offsetof(CuLaunchConfig, attributes) == offsetof(CUlaunchConfig, attrs));
static_assert(offsetof(CuLaunchConfig, attribute_count) == offsetof(CUlaunchConfig, numAttrs));

static_assert(stream_non_blocking == CU_STREAM_NON_BLOCKING);
static_assert(same<CuCaptureMode::thread_local_, CU_STREAM_CAPTURE_MODE_THREAD_LOCAL>);
static_assert(same<CuTensorMapType::u8, CU_TENSOR_MAP_DATA_TYPE_UINT8>);
static_assert(same<CuTensorMapType::f16, CU_TENSOR_MAP_DATA_TYPE_FLOAT16>);
static_assert(same<CuTensorMapType::f32, CU_TENSOR_MAP_DATA_TYPE_FLOAT32>);
static_assert(same<CuTensorMapType::bf16, CU_TENSOR_MAP_DATA_TYPE_BFLOAT16>);
static_assert(same<CuTensorMapSwizzle::bytes_32, CU_TENSOR_MAP_SWIZZLE_32B>);
static_assert(same<CuTensorMapSwizzle::bytes_64, CU_TENSOR_MAP_SWIZZLE_64B>);
static_assert(same<CuTensorMapSwizzle::bytes_128, CU_TENSOR_MAP_SWIZZLE_128B>);
static_assert(same<CuTensorMapPromotion::l2_128b, CU_TENSOR_MAP_L2_PROMOTION_L2_128B>);
static_assert(sizeof(TensorMap) == sizeof(CUtensorMap) && alignof(TensorMap) >= alignof(CUtensorMap));
static_assert(sizeof(CuDevicePtr) == sizeof(CUdeviceptr));

static_assert(same<NvrtcResult::success, NVRTC_SUCCESS>);
static_assert(same<NvrtcResult::invalid_option, NVRTC_ERROR_INVALID_OPTION>);
static_assert(same<NvrtcResult::compilation, NVRTC_ERROR_COMPILATION>);

}  // namespace
}  // namespace attentune::cuda
#endif
