#include "runtime/cuda/driver.h"

#include <fmt/format.h>

#include "generator/error.h"

namespace attentune::cuda {
namespace {

constexpr int oldest_version = 12000;  // R525; the first with cuLaunchKernelEx and tensor maps in every build
constexpr int func_load_since = 12040;
constexpr const char* instead = "or use --device host";

[[noreturn]] void unusable(const std::string& sentence) { throw Error(Status::device_failed, sentence); }

struct Meaning {
  Status status;
  const char* next;
};

// What a result means to the user. Between 700 and 719 a kernel went wrong; the context stays broken.
Meaning meaning_of(const CuResult result) {
  const int code = static_cast<int>(result);
  switch (result) {
    case CuResult::out_of_memory:
      return {Status::out_of_memory, "free GPU memory or use smaller sizes"};
    case CuResult::no_device:
      return {Status::device_failed, "check `nvidia-smi` and CUDA_VISIBLE_DEVICES, or use --device host"};
    case CuResult::device_unavailable:
      return {Status::device_failed, "another process holds the GPU for itself; wait, or use --device host"};
    case CuResult::stub_library:
      return {Status::device_failed, "a toolkit's stub stands before the driver's libcuda.so.1 in the loader's path"};
    case CuResult::system_driver_mismatch:
    case CuResult::compat_not_supported_on_device:
      return {Status::device_failed, "restart the machine after a driver update, or remove the compatibility package"};
    case CuResult::invalid_image:
    case CuResult::no_binary_for_gpu:
    case CuResult::unsupported_ptx_version:
      return {Status::device_failed, "the kernel must be compiled again for this GPU and driver"};
    case CuResult::launch_out_of_resources:
      return {Status::device_failed, "use a Config with fewer threads or registers"};
    case CuResult::context_is_destroyed:
      return {Status::device_failed, "the program destroyed the context attentune was opened in; open it again"};
    default:
      break;
  }
  if (code >= static_cast<int>(CuResult::capture_unsupported) &&
      code <= static_cast<int>(CuResult::capture_wrong_thread))
    return {Status::capturing, "make the first call, which loads the kernel, before the capture"};
  if (code >= static_cast<int>(CuResult::illegal_address) && code <= static_cast<int>(CuResult::launch_failed))
    return {Status::device_failed, "a kernel failed and took the GPU context with it; start the process anew"};
  return {Status::device_failed, "run: attentune doctor"};
}

}  // namespace

void Driver::bind() {
  std::string missing;
  const auto find = [&](const char* const symbol, auto*& function) {
    if (!library_.find(symbol, function) && missing.empty())
      missing = symbol;
  };
  find("cuInit", Init);
  find("cuDriverGetVersion", DriverGetVersion);
  find("cuGetErrorName", GetErrorName);
  find("cuGetErrorString", GetErrorString);
  find("cuDeviceGetCount", DeviceGetCount);
  find("cuDeviceGet", DeviceGet);
  find("cuDeviceGetName", DeviceGetName);
  find("cuDeviceGetAttribute", DeviceGetAttribute);
  find("cuDeviceTotalMem_v2", DeviceTotalMem);
  find("cuDeviceGetPCIBusId", DeviceGetPCIBusId);
  find("cuDevicePrimaryCtxRetain", DevicePrimaryCtxRetain);
  find("cuDevicePrimaryCtxRelease_v2", DevicePrimaryCtxRelease);
  find("cuCtxGetCurrent", CtxGetCurrent);
  find("cuCtxSetCurrent", CtxSetCurrent);
  find("cuCtxGetDevice", CtxGetDevice);
  find("cuCtxSynchronize", CtxSynchronize);
  find("cuModuleLoadData", ModuleLoadData);
  find("cuModuleUnload", ModuleUnload);
  find("cuModuleGetFunction", ModuleGetFunction);
  find("cuFuncGetAttribute", FuncGetAttribute);
  find("cuFuncSetAttribute", FuncSetAttribute);
  find("cuLaunchKernelEx", LaunchKernelEx);
  find("cuMemAlloc_v2", MemAlloc);
  find("cuMemFree_v2", MemFree);
  find("cuMemHostAlloc", MemHostAlloc);
  find("cuMemFreeHost", MemFreeHost);
  find("cuMemcpyHtoD_v2", MemcpyHtoD);
  find("cuMemcpyDtoH_v2", MemcpyDtoH);
  find("cuMemsetD8_v2", MemsetD8);
  find("cuStreamCreate", StreamCreate);
  find("cuStreamDestroy_v2", StreamDestroy);
  find("cuStreamBeginCapture_v2", StreamBeginCapture);
  find("cuStreamEndCapture", StreamEndCapture);
  find("cuGraphInstantiateWithFlags", GraphInstantiate);
  find("cuGraphUpload", GraphUpload);
  find("cuGraphLaunch", GraphLaunch);
  find("cuGraphExecDestroy", GraphExecDestroy);
  find("cuGraphDestroy", GraphDestroy);
  find("cuEventCreate", EventCreate);
  find("cuEventDestroy_v2", EventDestroy);
  find("cuEventRecord", EventRecord);
  find("cuEventSynchronize", EventSynchronize);
  find("cuEventElapsedTime", EventElapsedTime);
  find("cuGetProcAddress_v2", GetProcAddress);
  if (!missing.empty())
    unusable(
        fmt::format("the NVIDIA driver is too old: it has no {}; update it to R525 or newer, {}", missing, instead));
}

std::shared_ptr<const Driver> Driver::open(const std::string& library) {
  const std::shared_ptr<Driver> driver(new Driver);
  driver->library_ = SharedLibrary(library);
  if (!driver->library_.is_open())
    unusable(fmt::format("no NVIDIA driver: {}; install driver R525 or newer, {}", driver->library_.error(), instead));
  driver->bind();
  driver->check(driver->Init(0), "starting the driver");
  driver->check(driver->DriverGetVersion(&driver->version_), "asking the driver's version");
  if (driver->version_ < oldest_version)
    unusable(fmt::format("the NVIDIA driver is for CUDA {}.{}; update it to R525 (CUDA 12.0) or newer, {}",
                         driver->version_ / 1000, driver->version_ % 1000 / 10, instead));
  const auto query = [&](const char* const symbol, const int since, auto*& function) {
    void* found = nullptr;
    if (driver->version_ >= since && driver->GetProcAddress(symbol, &found, since, 0, nullptr) == CuResult::success)
      function = reinterpret_cast<std::remove_reference_t<decltype(function)>>(found);
  };
  query("cuFuncLoad", func_load_since, driver->FuncLoad);
  query("cuTensorMapEncodeTiled", oldest_version, driver->TensorMapEncodeTiled);
  return driver;
}

int Driver::device_count() const {
  int count = 0;
  check(DeviceGetCount(&count), "counting GPUs");
  return count;
}

void Driver::check(const CuResult result, const std::string_view operation) const {
  if (result == CuResult::success)
    return;
  const char* name = nullptr;
  const char* text = nullptr;
  if (GetErrorName(result, &name) != CuResult::success || name == nullptr)
    name = "an unknown error";
  if (GetErrorString(result, &text) != CuResult::success || text == nullptr)
    text = "no description";
  const Meaning meaning = meaning_of(result);
  throw Error(meaning.status,
              fmt::format("{} failed: {} {}, {}; {}", operation, name, static_cast<int>(result), text, meaning.next));
}

}  // namespace attentune::cuda
