#include "tests/cuda_stub/cuda_stub.h"

#include <algorithm>
#include <atomic>
#include <cstdarg>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <map>
#include <mutex>
#include <set>
#include <string>
#include <string_view>

#include "runtime/cuda/driver_types.h"

#define STUB extern "C" __attribute__((visibility("default")))

namespace {

using namespace attentune::cuda;

struct Context {
  int retained = 0;
};
struct Module {
  const char* image = nullptr;
  std::size_t size = 0;
  std::set<std::string> names;
};
struct Stream {
  bool capturing = false;
  int nodes = 0;
};

struct State {
  std::mutex mutex;
  std::map<std::string, int> settings;
  std::map<std::string, int> failures;
  std::string calls;
  std::string shown;
  bool recording = true;
  std::set<void*> alive;
  Context primary;
  CudaStubKernel kernel = nullptr;
  void* user = nullptr;
};

State& state() {
  static State instance;
  return instance;
}

// "fail:NAME=RESULT" words of the environment.
void read_failures() {
  constexpr std::string_view mark = "fail:";
  const char* const environment = std::getenv("CUDA_STUB");
  std::string_view rest = environment == nullptr ? "" : environment;
  for (std::size_t at = 0; (at = rest.find(mark)) != std::string_view::npos;) {
    rest.remove_prefix(at + mark.size());
    const std::size_t equals = std::min(rest.find('='), rest.size() - 1);
    state().failures[std::string(rest.substr(0, equals))] = std::atoi(rest.data() + equals + 1);
  }
}

std::atomic<long> call_count{0};
thread_local void* current_context = nullptr;

int setting(const char* const name, const int otherwise) {
  State& s = state();
  if (const auto found = s.settings.find(name); found != s.settings.end())
    return found->second;
  const char* const environment = std::getenv("CUDA_STUB");
  const std::string wanted = std::string(name) + "=";
  const char* const at = environment == nullptr ? nullptr : std::strstr(environment, wanted.c_str());
  return at == nullptr ? otherwise : std::atoi(at + wanted.size());
}

// Books a call; its result is success unless a test wants otherwise.
__attribute__((format(printf, 2, 3))) CuResult book(const char* const function, const char* const format, ...) {
  ++call_count;
  State& s = state();
  const std::lock_guard lock(s.mutex);
  if (s.recording) {
    char text[256];
    va_list arguments;
    va_start(arguments, format);
    std::vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    s.calls += std::string(function) + (text[0] == '\0' ? "" : " ") + text + "\n";
  }
  if (s.failures.empty())
    return CuResult::success;
  const auto found = s.failures.find(function);
  return found == s.failures.end() ? CuResult::success : static_cast<CuResult>(found->second);
}

// As book, for what needs a current context.
#define BOOK(...)                                                             \
  if (const CuResult booked = book(__VA_ARGS__); booked != CuResult::success) \
    return booked;
#define BOOK_IN_CONTEXT(...)      \
  BOOK(__VA_ARGS__)               \
  if (current_context == nullptr) \
    return CuResult::invalid_context;

template <typename Object>
Object* track(Object* object) {
  const std::lock_guard lock(state().mutex);
  state().alive.insert(object);
  return object;
}

bool forget(void* const object) {
  const std::lock_guard lock(state().mutex);
  return state().alive.erase(object) != 0;
}

CuResult func_load(CuFunction) { return book("cuFuncLoad", "%s", ""); }

CuResult encode_tiled(void* const map, CuTensorMapType, const std::uint32_t rank, void* const address,
                      const std::uint64_t* const sizes, const std::uint64_t* const strides,
                      const std::uint32_t* const box, const std::uint32_t*, int, CuTensorMapSwizzle,
                      CuTensorMapPromotion, int) {
  const auto number = [](const std::uint64_t value) { return static_cast<unsigned long long>(value); };
  BOOK_IN_CONTEXT("cuTensorMapEncodeTiled",
                  "rank=%u address=%#llx sizes=%llu,%llu,%llu,%llu strides=%llu,%llu,%llu box=%u,%u,%u,%u", rank,
                  number(reinterpret_cast<std::uintptr_t>(address)), number(sizes[0]), number(sizes[1]),
                  number(sizes[2]), number(sizes[3]), number(strides[0]), number(strides[1]), number(strides[2]),
                  box[0], box[1], box[2], box[3]);
  std::memset(map, 0x5A, 128);
  return CuResult::success;
}

}  // namespace

STUB void cuda_stub_reset() {
  State& s = state();
  const std::lock_guard lock(s.mutex);
  s.settings.clear();
  s.failures.clear();
  s.calls.clear();
  s.recording = true;
  s.kernel = nullptr;
  call_count = 0;
}
STUB void cuda_stub_set(const char* const what, const int value) { state().settings[what] = value; }
STUB void cuda_stub_fail(const char* const function, const int result) {
  const std::lock_guard lock(state().mutex);
  state().failures[function] = result;
}
STUB const char* cuda_stub_calls() {
  const std::lock_guard lock(state().mutex);
  state().shown = state().calls;
  return state().shown.c_str();
}
STUB void cuda_stub_record(const int on) { state().recording = on != 0; }
STUB long cuda_stub_call_count() { return call_count; }
STUB long cuda_stub_alive() {
  const std::lock_guard lock(state().mutex);
  return static_cast<long>(state().alive.size()) + state().primary.retained;
}
STUB void* cuda_stub_create_context() { return track(new Context); }
STUB void cuda_stub_destroy_context(void* const context) {
  forget(context);
  delete static_cast<Context*>(context);
}
STUB void cuda_stub_on_launch(const CudaStubKernel kernel, void* const user) {
  state().kernel = kernel;
  state().user = user;
}

STUB CuResult cuInit(unsigned) {
  read_failures();
  BOOK("cuInit", "%s", "");
  return setting("count", 1) == 0 ? CuResult::no_device : CuResult::success;
}
STUB CuResult cuDriverGetVersion(int* const version) {
  *version = setting("driver", 13000);
  return book("cuDriverGetVersion", "%s", "");
}
STUB CuResult cuGetErrorName(const CuResult result, const char** const name) {
  static thread_local char text[32];
  std::snprintf(text, sizeof text, "CUDA_ERROR_%d", static_cast<int>(result));
  *name = text;
  return CuResult::success;
}
STUB CuResult cuGetErrorString(CuResult, const char** const text) {
  *text = "said the stub";
  return CuResult::success;
}
STUB CuResult cuDeviceGetCount(int* const count) {
  *count = setting("count", 1);
  return book("cuDeviceGetCount", "%s", "");
}
STUB CuResult cuDeviceGet(CuDevice* const device, const int ordinal) {
  *device = ordinal;
  return book("cuDeviceGet", "%d", ordinal);
}
STUB CuResult cuDeviceGetName(char* const name, const int capacity, CuDevice) {
  std::snprintf(name, static_cast<std::size_t>(capacity), "NVIDIA Stub 80GB MIG 1g.10gb");
  return book("cuDeviceGetName", "%s", "");
}
STUB CuResult cuDeviceGetAttribute(int* const value, const CuDeviceAttribute attribute, CuDevice) {
  switch (attribute) {
    case CuDeviceAttribute::multiprocessor_count:
      *value = 132;
      break;
    case CuDeviceAttribute::memory_bus_width:
      *value = 5120;
      break;
    case CuDeviceAttribute::l2_cache_size:
      *value = 50 << 20;
      break;
    case CuDeviceAttribute::compute_capability_major:
      *value = setting("cc", 90) / 10;
      break;
    case CuDeviceAttribute::compute_capability_minor:
      *value = setting("cc", 90) % 10;
      break;
    case CuDeviceAttribute::max_shared_memory_per_block_optin:
      *value = setting("shared", 232448);
      break;
  }
  return book("cuDeviceGetAttribute", "%d", static_cast<int>(attribute));
}
STUB CuResult cuDeviceTotalMem_v2(std::size_t* const bytes, CuDevice) {
  *bytes = std::size_t{80} << 30;
  return book("cuDeviceTotalMem", "%s", "");
}
STUB CuResult cuDeviceGetPCIBusId(char* const id, const int capacity, CuDevice) {
  std::snprintf(id, static_cast<std::size_t>(capacity), "0000:00:00.0");
  return book("cuDeviceGetPCIBusId", "%s", "");
}
STUB CuResult cuDevicePrimaryCtxRetain(CuContext* const context, const CuDevice device) {
  BOOK("cuDevicePrimaryCtxRetain", "%d", device);
  ++state().primary.retained;
  *context = reinterpret_cast<CuContext>(&state().primary);
  return CuResult::success;
}
STUB CuResult cuDevicePrimaryCtxRelease_v2(const CuDevice device) {
  --state().primary.retained;
  return book("cuDevicePrimaryCtxRelease", "%d", device);
}
STUB CuResult cuCtxGetCurrent(CuContext* const context) {
  *context = static_cast<CuContext>(current_context);
  return book("cuCtxGetCurrent", "%s", "");
}
STUB CuResult cuCtxSetCurrent(CuContext context) {
  current_context = context;
  return book("cuCtxSetCurrent", "%s", context == nullptr ? "null" : "context");
}
STUB CuResult cuCtxGetDevice(CuDevice* const device) {
  *device = 0;
  return book("cuCtxGetDevice", "%s", "");
}
STUB CuResult cuCtxSynchronize() {
  BOOK_IN_CONTEXT("cuCtxSynchronize", "%s", "");
  return CuResult::success;
}
STUB CuResult cuModuleLoadData(CuModule* const result, const void* const image) {
  BOOK_IN_CONTEXT("cuModuleLoadData", "%s", "");
  std::uint64_t table = 0;
  std::uint16_t sections = 0;
  std::memcpy(&table, static_cast<const char*>(image) + 0x28, sizeof table);
  std::memcpy(&sections, static_cast<const char*>(image) + 0x3c, sizeof sections);
  auto* const module = track(new Module);
  module->image = static_cast<const char*>(image);
  module->size = static_cast<std::size_t>(table) + std::size_t{64} * sections;
  *result = reinterpret_cast<CuModule>(module);
  return CuResult::success;
}
STUB CuResult cuModuleUnload(CuModule module) {
  BOOK_IN_CONTEXT("cuModuleUnload", "%s", "");
  if (forget(module))
    delete reinterpret_cast<Module*>(module);
  return CuResult::success;
}
STUB CuResult cuModuleGetFunction(CuFunction* const function, CuModule handle, const char* const name) {
  BOOK_IN_CONTEXT("cuModuleGetFunction", "%s", name);
  auto* const module = reinterpret_cast<Module*>(handle);
  const std::string symbol = std::string(".text.") + name;
  if (std::string_view(module->image, module->size).find(std::string_view(symbol.c_str(), symbol.size() + 1)) ==
      std::string_view::npos)
    return CuResult::not_found;
  *function = reinterpret_cast<CuFunction>(const_cast<char*>(module->names.insert(name).first->c_str()));
  return CuResult::success;
}
STUB CuResult cuFuncGetAttribute(int* const value, CuFunctionAttribute, CuFunction) {
  *value = 32;
  return book("cuFuncGetAttribute", "%s", "");
}
STUB CuResult cuFuncSetAttribute(CuFunction, CuFunctionAttribute, const int value) {
  return book("cuFuncSetAttribute", "%d", value);
}
STUB CuResult cuLaunchKernelEx(const CuLaunchConfig* const config, CuFunction function, void** const parameters,
                               void** const) {
  const char* const entry = reinterpret_cast<const char*>(function);
  char attributes[64] = "";
  for (unsigned n = 0; n < config->attribute_count; ++n) {
    const CuLaunchAttribute& attribute = config->attributes[n];
    char* const end = attributes + std::strlen(attributes);
    if (attribute.id == CuLaunchAttributeId::cluster_dimension)
      std::snprintf(end, 32, " cluster=%u", attribute.value.cluster[0]);
    else
      std::snprintf(end, 32, " overlap=%d", attribute.value.programmatic_stream_serialization_allowed);
  }
  BOOK_IN_CONTEXT("cuLaunchKernelEx", "%s grid=%u,%u,%u block=%u shared=%u%s", entry, config->grid[0], config->grid[1],
                  config->grid[2], config->block[0], config->shared_bytes, attributes);
  auto* const stream = reinterpret_cast<Stream*>(config->stream);
  if (stream != nullptr && stream->capturing)
    ++stream->nodes;
  else if (state().kernel != nullptr)
    state().kernel(state().user, entry, config->grid, parameters);
  return CuResult::success;
}
STUB CuResult cuMemAlloc_v2(CuDevicePtr* const memory, const std::size_t bytes) {
  BOOK_IN_CONTEXT("cuMemAlloc_v2", "%s", "");
  void* const host = track(std::aligned_alloc(512, (bytes + 511) / 512 * 512));
  *memory = reinterpret_cast<std::uintptr_t>(host);
  return CuResult::success;
}
STUB CuResult cuMemFree_v2(const CuDevicePtr memory) {
  BOOK_IN_CONTEXT("cuMemFree_v2", "%s", "");
  void* const host = reinterpret_cast<void*>(static_cast<std::uintptr_t>(memory));
  if (forget(host))
    std::free(host);
  return CuResult::success;
}
STUB CuResult cuMemHostAlloc(void** const memory, const std::size_t bytes, unsigned) {
  BOOK_IN_CONTEXT("cuMemHostAlloc", "%zu", bytes);
  *memory = track(std::malloc(bytes));
  return CuResult::success;
}
STUB CuResult cuMemFreeHost(void* const memory) {
  BOOK_IN_CONTEXT("cuMemFreeHost", "%s", "");
  if (forget(memory))
    std::free(memory);
  return CuResult::success;
}
STUB CuResult cuMemcpyHtoD_v2(const CuDevicePtr to, const void* const from, const std::size_t bytes) {
  BOOK_IN_CONTEXT("cuMemcpyHtoD_v2", "%s", "");
  std::memcpy(reinterpret_cast<void*>(static_cast<std::uintptr_t>(to)), from, bytes);
  return CuResult::success;
}
STUB CuResult cuMemcpyDtoH_v2(void* const to, const CuDevicePtr from, const std::size_t bytes) {
  BOOK_IN_CONTEXT("cuMemcpyDtoH_v2", "%s", "");
  std::memcpy(to, reinterpret_cast<const void*>(static_cast<std::uintptr_t>(from)), bytes);
  return CuResult::success;
}
STUB CuResult cuMemsetD8_v2(const CuDevicePtr to, const unsigned char byte, const std::size_t bytes) {
  BOOK_IN_CONTEXT("cuMemsetD8_v2", "%s", "");
  std::memset(reinterpret_cast<void*>(static_cast<std::uintptr_t>(to)), byte, bytes);
  return CuResult::success;
}
STUB CuResult cuStreamCreate(CuStream* const stream, unsigned) {
  BOOK_IN_CONTEXT("cuStreamCreate", "%s", "");
  *stream = reinterpret_cast<CuStream>(track(new Stream));
  return CuResult::success;
}
STUB CuResult cuStreamDestroy_v2(CuStream stream) {
  if (forget(stream))
    delete reinterpret_cast<Stream*>(stream);
  return book("cuStreamDestroy", "%s", "");
}
STUB CuResult cuStreamBeginCapture_v2(CuStream stream, CuCaptureMode) {
  reinterpret_cast<Stream*>(stream)->capturing = true;
  return book("cuStreamBeginCapture", "%s", "");
}
STUB CuResult cuStreamEndCapture(CuStream handle, CuGraph* const graph) {
  auto* const stream = reinterpret_cast<Stream*>(handle);
  stream->capturing = false;
  *graph = reinterpret_cast<CuGraph>(track(new int(stream->nodes)));
  return book("cuStreamEndCapture", "nodes=%d", stream->nodes);
}
STUB CuResult cuGraphInstantiateWithFlags(CuGraphExec* const exec, CuGraph, unsigned long long) {
  *exec = reinterpret_cast<CuGraphExec>(track(new int(0)));
  return book("cuGraphInstantiate", "%s", "");
}
STUB CuResult cuGraphUpload(CuGraphExec, CuStream) { return book("cuGraphUpload", "%s", ""); }
STUB CuResult cuGraphLaunch(CuGraphExec, CuStream) { return book("cuGraphLaunch", "%s", ""); }
STUB CuResult cuGraphExecDestroy(CuGraphExec exec) {
  if (forget(exec))
    delete reinterpret_cast<int*>(exec);
  return book("cuGraphExecDestroy", "%s", "");
}
STUB CuResult cuGraphDestroy(CuGraph graph) {
  if (forget(graph))
    delete reinterpret_cast<int*>(graph);
  return book("cuGraphDestroy", "%s", "");
}
STUB CuResult cuEventCreate(CuEvent* const event, unsigned) {
  BOOK_IN_CONTEXT("cuEventCreate", "%s", "");
  *event = reinterpret_cast<CuEvent>(track(new int(0)));
  return CuResult::success;
}
STUB CuResult cuEventDestroy_v2(CuEvent event) {
  if (forget(event))
    delete reinterpret_cast<int*>(event);
  return book("cuEventDestroy", "%s", "");
}
STUB CuResult cuEventRecord(CuEvent, CuStream) { return book("cuEventRecord", "%s", ""); }
STUB CuResult cuEventSynchronize(CuEvent) { return book("cuEventSynchronize", "%s", ""); }
STUB CuResult cuEventElapsedTime(float* const ms, CuEvent, CuEvent) {
  *ms = 2.5F;
  return book("cuEventElapsedTime", "%s", "");
}
STUB CuResult cuGetProcAddress_v2(const char* const symbol, void** const function, int, std::uint64_t, int*) {
  BOOK("cuGetProcAddress", "%s", symbol);
  if (std::strcmp(symbol, "cuFuncLoad") == 0)
    *function = reinterpret_cast<void*>(func_load);
  else if (std::strcmp(symbol, "cuTensorMapEncodeTiled") == 0)
    *function = reinterpret_cast<void*>(encode_tiled);
  else
    return CuResult::not_found;
  return CuResult::success;
}
// NVRTC looks whether a driver is there and asks it for tables of its own; without them it goes on alone.
STUB CuResult cuGetExportTable(const void** const table, const void*) {
  *table = nullptr;
  return CuResult::not_found;
}
