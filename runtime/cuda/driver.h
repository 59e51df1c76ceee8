// Driver: the CUDA driver API, opened at run time; its functions by name, and its results as sentences.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "runtime/cuda/driver_types.h"
#include "runtime/cuda/shared_library.h"

namespace attentune::cuda {

class Driver {
 public:
  // Opens and initializes the driver. Throws Error(device_failed) with the next step: no driver, no device, a driver
  // older than R525.
  [[nodiscard]] static std::shared_ptr<const Driver> open(const std::string& library = "libcuda.so.1");

  // 12080 = CUDA 12.8.
  [[nodiscard]] int version() const noexcept { return version_; }
  [[nodiscard]] int device_count() const;

  // Throws unless the result is success: Error(out_of_memory), Error(capturing) inside a stream capture, else
  // Error(device_failed). `operation` is what was attempted, as in "loading a kernel".
  void check(CuResult result, std::string_view operation) const;

  // The functions, each under its name without "cu". All but the last two are in every driver since R525.
  CuResult (*Init)(unsigned flags) = nullptr;
  CuResult (*DriverGetVersion)(int* version) = nullptr;
  CuResult (*GetErrorName)(CuResult result, const char** name) = nullptr;
  CuResult (*GetErrorString)(CuResult result, const char** text) = nullptr;
  CuResult (*DeviceGetCount)(int* count) = nullptr;
  CuResult (*DeviceGet)(CuDevice* device, int ordinal) = nullptr;
  CuResult (*DeviceGetName)(char* name, int capacity, CuDevice device) = nullptr;
  CuResult (*DeviceGetAttribute)(int* value, CuDeviceAttribute attribute, CuDevice device) = nullptr;
  CuResult (*DeviceTotalMem)(std::size_t* bytes, CuDevice device) = nullptr;
  CuResult (*DeviceGetPCIBusId)(char* id, int capacity, CuDevice device) = nullptr;
  CuResult (*DevicePrimaryCtxRetain)(CuContext* context, CuDevice device) = nullptr;
  CuResult (*DevicePrimaryCtxRelease)(CuDevice device) = nullptr;
  CuResult (*CtxGetCurrent)(CuContext* context) = nullptr;
  CuResult (*CtxSetCurrent)(CuContext context) = nullptr;
  CuResult (*CtxGetDevice)(CuDevice* device) = nullptr;
  CuResult (*CtxSynchronize)() = nullptr;
  CuResult (*ModuleLoadData)(CuModule* module, const void* image) = nullptr;
  CuResult (*ModuleUnload)(CuModule module) = nullptr;
  CuResult (*ModuleGetFunction)(CuFunction* function, CuModule module, const char* name) = nullptr;
  CuResult (*FuncGetAttribute)(int* value, CuFunctionAttribute attribute, CuFunction function) = nullptr;
  CuResult (*FuncSetAttribute)(CuFunction function, CuFunctionAttribute attribute, int value) = nullptr;
  CuResult (*LaunchKernelEx)(const CuLaunchConfig* config, CuFunction function, void** parameters,
                             void** extra) = nullptr;
  CuResult (*MemAlloc)(CuDevicePtr* memory, std::size_t bytes) = nullptr;
  CuResult (*MemFree)(CuDevicePtr memory) = nullptr;
  CuResult (*MemHostAlloc)(void** memory, std::size_t bytes, unsigned flags) = nullptr;
  CuResult (*MemFreeHost)(void* memory) = nullptr;
  CuResult (*MemcpyHtoD)(CuDevicePtr to, const void* from, std::size_t bytes) = nullptr;
  CuResult (*MemcpyDtoH)(void* to, CuDevicePtr from, std::size_t bytes) = nullptr;
  CuResult (*MemsetD8)(CuDevicePtr to, unsigned char byte, std::size_t bytes) = nullptr;
  CuResult (*StreamCreate)(CuStream* stream, unsigned flags) = nullptr;
  CuResult (*StreamDestroy)(CuStream stream) = nullptr;
  CuResult (*StreamBeginCapture)(CuStream stream, CuCaptureMode mode) = nullptr;
  CuResult (*StreamEndCapture)(CuStream stream, CuGraph* graph) = nullptr;
  CuResult (*GraphInstantiate)(CuGraphExec* exec, CuGraph graph, unsigned long long flags) = nullptr;
  CuResult (*GraphUpload)(CuGraphExec exec, CuStream stream) = nullptr;
  CuResult (*GraphLaunch)(CuGraphExec exec, CuStream stream) = nullptr;
  CuResult (*GraphExecDestroy)(CuGraphExec exec) = nullptr;
  CuResult (*GraphDestroy)(CuGraph graph) = nullptr;
  CuResult (*EventCreate)(CuEvent* event, unsigned flags) = nullptr;
  CuResult (*EventDestroy)(CuEvent event) = nullptr;
  CuResult (*EventRecord)(CuEvent event, CuStream stream) = nullptr;
  CuResult (*EventSynchronize)(CuEvent event) = nullptr;
  CuResult (*EventElapsedTime)(float* ms, CuEvent begin, CuEvent end) = nullptr;
  CuResult (*GetProcAddress)(const char* symbol, void** function, int cuda_version, std::uint64_t flags,
                             int* status) = nullptr;
  // Null where the driver has none (before 12.4): a function is then loaded when its attributes are read.
  CuResult (*FuncLoad)(CuFunction function) = nullptr;
  // By the queried entry point; null where the driver has none.
  CuResult (*TensorMapEncodeTiled)(void* map, CuTensorMapType type, std::uint32_t rank, void* address,
                                   const std::uint64_t* sizes, const std::uint64_t* strides, const std::uint32_t* box,
                                   const std::uint32_t* element_strides, int interleave, CuTensorMapSwizzle swizzle,
                                   CuTensorMapPromotion promotion, int out_of_bounds_fill) = nullptr;

 private:
  Driver() = default;
  void bind();

  SharedLibrary library_;
  int version_ = 0;
};

}  // namespace attentune::cuda
