#include "runtime/cuda/gpu_device.h"

#include <doctest/doctest.h>

#include <cstring>
#include <functional>
#include <string>
#include <thread>

#include "generator/error.h"
#include "runtime/kernel.h"
#include "runtime/reference/reference.h"
#include "runtime/reference/row_groups.h"
#include "runtime/reference/runner.h"
#include "runtime/reference/verify.h"
#include "runtime/watchdog.h"
#include "tests/runtime/allocation_count.h"
#include "tests/runtime/cuda/stub_driver.h"
#include "tests/runtime/cuda/tiny_binary.h"

using namespace attentune;
using test::StubDriver;
using test::tiny_binary;

namespace {

constexpr const char* problem_text = "dtype=f32 heads=2 head_dim=64 seq=16";

std::shared_ptr<const Device> open(const StubDriver& stub) {
  return std::make_shared<cuda::GpuDevice>(stub.open(), 0, CompilerOptions{});
}

std::shared_ptr<const Kernel> load(const std::shared_ptr<const Device>& device, Binary binary = tiny_binary()) {
  return Kernel::load(device, parse_problem(problem_text), Config(), std::move(binary));
}

// Tensors that nobody reads, at addresses that look right.
AttentionTensors somewhere(const Problem& problem) {
  AttentionTensors tensors = contiguous(problem);
  for (TensorView* const view : {&tensors.q, &tensors.k, &tensors.v, &tensors.out})
    view->data = reinterpret_cast<void*>(std::uintptr_t{0x10000});
  tensors.out.data = reinterpret_cast<void*>(std::uintptr_t{0x20000});
  return tensors;
}

Binding bind(const Kernel& kernel) {
  const Problem problem = parse_problem(problem_text);
  return kernel.bind(problem, somewhere(problem), nullptr, 0);
}

struct Caught {
  Status status = Status::ok;
  std::string sentence;
  [[nodiscard]] bool says(const std::string& words) const { return sentence.find(words) != std::string::npos; }
};

Caught caught(const std::function<void()>& work) {
  try {
    work();
  } catch (const Error& error) {
    return {error.status(), error.what()};
  }
  return {};
}

}  // namespace

TEST_CASE("a GPU's identity is what makes two GPUs the same for a Winner") {
  const StubDriver stub;
  CHECK(to_text(open(stub)->identity()) ==
        "gpu name=NVIDIA_Stub_80GB arch=sm_90a l2=51200 sms=132 memory=80 bus=5120 mig=1g.10gb");
}

TEST_CASE("the driver is asked for what is needed, in order, and everything is given back") {
  const StubDriver stub;
  auto device = open(stub);
  const std::string opening = stub.calls();
  CHECK(opening.starts_with("cuInit\ncuDriverGetVersion\ncuGetProcAddress cuFuncLoad\n"));
  CHECK(opening.ends_with("cuCtxGetCurrent\ncuDevicePrimaryCtxRetain 0\n"));
  auto kernel = load(device);
  // The code is resident before anybody launches it, and may use all the shared memory that is not its own already.
  CHECK(stub.calls() ==
        "cuCtxGetCurrent\ncuCtxSetCurrent context\ncuModuleLoadData\ncuModuleGetFunction copy\ncuFuncLoad\n"
        "cuFuncGetAttribute\ncuFuncSetAttribute 232416\ncuCtxSetCurrent null\n");
  auto binding = std::make_unique<Binding>(bind(*kernel));
  CHECK(stub.calls().empty());
  device.reset();
  kernel.reset();
  CHECK(stub.calls().empty());  // the binding still needs them
  binding.reset();
  CHECK(stub.calls() ==
        "cuCtxGetCurrent\ncuCtxSetCurrent context\ncuModuleUnload\ncuCtxSetCurrent null\ncuDevicePrimaryCtxRelease "
        "0\n");
}

TEST_CASE("a launch is one driver call a LaunchRule and allocates nothing") {
  const StubDriver stub;
  Binary binary = tiny_binary();
  LaunchRule second = binary.launches[0];
  second.cluster = {"2", "1", "1"};
  binary.launches.push_back(second);
  second.depends_on_previous = true;
  binary.launches.push_back(second);
  const auto device = open(stub);
  const auto kernel = load(device, binary);
  const Binding binding = bind(*kernel);
  stub.set_current(static_cast<cuda::CuContext>(stub.create_context()));
  void* const own = stub.current();
  (void)stub.calls();
  binding.launch();
  CHECK(stub.calls() ==
        "cuLaunchKernelEx copy grid=16,1,1 block=128 shared=512\n"
        "cuLaunchKernelEx copy grid=16,1,1 block=128 shared=512 cluster=2 overlap=1\n"
        "cuLaunchKernelEx copy grid=16,1,1 block=128 shared=512 cluster=2\n");
  stub.record(0);
  const long before = stub.call_count();
  const std::uint64_t allocations = test::allocations_of_thread();
  binding.launch();
  CHECK(test::allocations_of_thread() == allocations);
  CHECK(stub.call_count() == before + 3);
  stub.destroy_context(own);
}

TEST_CASE("the caller's context is used where it is on this GPU, and is his again afterwards") {
  const StubDriver stub;
  void* const own = stub.create_context();
  stub.set_current(static_cast<cuda::CuContext>(own));
  {
    const auto device = open(stub);
    CHECK(stub.calls().find("Retain") == std::string::npos);
    const DeviceBuffer buffer(device->memory(), 100);
    CHECK(stub.current() == own);
  }
  CHECK(stub.current() == own);
  stub.set_current(nullptr);
  stub.destroy_context(own);
}

TEST_CASE("another context of the caller is put back after each operation") {
  const StubDriver stub;
  const auto device = open(stub);  // its primary context
  void* const own = stub.create_context();
  stub.set_current(static_cast<cuda::CuContext>(own));
  const auto kernel = load(device);
  CHECK(stub.current() == own);
  device->synchronize();
  CHECK(stub.current() == own);
  (void)bind(*kernel).time_ms(3);
  CHECK(stub.current() == own);
  stub.set_current(nullptr);
  stub.destroy_context(own);
}

TEST_CASE("a thread without a context may launch") {
  const StubDriver stub;
  const auto device = open(stub);
  const auto kernel = load(device);
  const Binding binding = bind(*kernel);
  int launches = 0;
  stub.on_launch([](void* user, const char*, const unsigned*, void**) { ++*static_cast<int*>(user); }, &launches);
  std::jthread([&] { binding.launch(); }).join();
  CHECK(launches == 1);
}

TEST_CASE("time is taken between events, from a graph of the calls") {
  const StubDriver stub;
  const auto device = open(stub);
  const auto kernel = load(device);
  const Binding binding = bind(*kernel);
  (void)stub.calls();
  CHECK(binding.time_ms(70) == 2.5);
  const std::string calls = stub.calls();
  CHECK(calls.find("cuStreamEndCapture nodes=32") != std::string::npos);
  const std::size_t begin = calls.find("cuEventRecord");
  CHECK(calls.rfind("cuGraphUpload", begin) != std::string::npos);  // its time is not the kernel's
  const std::string timed = calls.substr(begin, calls.find("cuEventSynchronize") - begin);
  std::string expected = "cuEventRecord\n";
  for (int n = 0; n < 6; ++n)
    expected += "cuLaunchKernelEx copy grid=16,1,1 block=128 shared=512\n";
  CHECK(timed == expected + "cuGraphLaunch\ncuGraphLaunch\ncuEventRecord\n");
}

TEST_CASE("a call that fails inside a capture leaves nothing behind") {
  const StubDriver stub;
  const auto device = open(stub);
  CHECK_THROWS_AS((void)device->time_ms([](Stream) { throw 7; }, 3), int);
}

TEST_CASE("verification runs in the GPU's memory") {
  const StubDriver stub;
  const auto device = open(stub);
  const Problem problem = parse_problem(problem_text);
  // In place of the kernel: attention by the reference, on the arguments the kernel would get. In cuda_stub the GPU's
  // memory is this process's.
  stub.on_launch(
      [](void*, const char*, const unsigned*, void** parameters) {
        AttentionArgs args;
        std::memcpy(&args, parameters[0], sizeof args);
        Problem at = parse_problem(problem_text);
        at.batch = args.batch;
        at.heads_q = args.heads_q;
        at.heads_kv = args.heads_kv;
        at.len_q = args.len_q;
        at.len_kv = args.len_kv;
        at.scale = args.scale;
        AttentionTensors tensors = contiguous(at);
        const auto view = [](TensorView& tensor, const void* data, const std::int64_t(&stride)[3]) {
          tensor.data = const_cast<void*>(data);
          tensor.stride = {stride[0], stride[1], stride[2]};
        };
        view(tensors.q, args.q, args.q_stride);
        view(tensors.k, args.k, args.k_stride);
        view(tensors.v, args.v, args.v_stride);
        view(tensors.out, args.out, args.out_stride);
        const std::vector<Row> rows = all_rows(at);
        const ExactRows exact = exact_attention(at, tensors, rows, inline_executor());
        for (std::size_t r = 0; r < rows.size(); ++r) {
          for (std::size_t c = 0; c < 64; ++c)
            store_element(
                args.out,
                row_offset(tensors.out, rows[r].batch, rows[r].query, rows[r].head) + static_cast<std::int64_t>(c),
                Dtype::f32, static_cast<float>(exact.out[r * 64 + c]));
        }
      },
      nullptr);
  Binary binary = tiny_binary();
  binary.launches[0].grid[0] = "batch * heads_q * ceil_div(len_q, 16)";
  Verifier verifier(inline_executor(), device->memory());
  const Verdict right = verifier.verify(problem, runner(load(device, binary)));
  CAPTURE(right.sentence);
  CHECK(right.passed);
  stub.on_launch(nullptr, nullptr);  // a kernel that writes nothing
  const Verdict wrong = verifier.verify(problem, runner(load(device, binary)));
  CHECK_FALSE(wrong.passed);
  CHECK(wrong.sentence.find("left a place unwritten") != std::string::npos);
  stub.on_launch(  // one that writes before its input, of which the guards alone come back
      [](void*, const char*, const unsigned*, void** parameters) {
        AttentionArgs args;
        std::memcpy(&args, parameters[0], sizeof args);
        const_cast<char*>(static_cast<const char*>(args.k))[-1] = 0;
      },
      nullptr);
  const Verdict outside = verifier.verify(problem, runner(load(device, binary)));
  CHECK_FALSE(outside.passed);
  CHECK(outside.sentence.find("wrote outside its tensors: k, 1 bytes before its start") != std::string::npos);
}

TEST_CASE("tensor maps are encoded at bind and travel with the launch") {
  const StubDriver stub;
  const auto device = open(stub);
  Binary binary = tiny_binary();
  binary.launches[0].parameters = {"tensor_map:0", "args"};
  binary.launches[0].tensor_maps = {{.tensor = "k", .box = {"64", "1", "16", "1"}, .swizzle = "128"}};
  const auto kernel = load(device, binary);
  (void)stub.calls();
  const Binding binding = bind(*kernel);
  CHECK(stub.calls() ==
        "cuCtxGetCurrent\ncuCtxSetCurrent context\n"
        "cuTensorMapEncodeTiled rank=4 address=0x10000 sizes=64,2,16,1 strides=256,512,8192 box=64,1,16,1\n"
        "cuCtxSetCurrent null\n");
  bool arrived = false;
  stub.on_launch(
      [](void* user, const char*, const unsigned*, void** parameters) {
        const auto* const map = static_cast<const unsigned char*>(parameters[0]);
        AttentionArgs args;
        std::memcpy(&args, parameters[1], sizeof args);
        *static_cast<bool*>(user) = map[0] == 0x5A && map[127] == 0x5A && args.len_q == 16;
      },
      &arrived);
  binding.launch();
  CHECK(arrived);

  // Heads in descending order: the map begins at the last.
  const Problem problem = parse_problem(problem_text);
  AttentionTensors tensors = somewhere(problem);
  tensors.k.stride[2] = -64;
  (void)stub.calls();
  (void)kernel->bind(problem, tensors, nullptr, 0);
  CHECK(stub.calls().find("address=0xff00 sizes=64,2,16,1 strides=256,512,8192 box=64,1,16,1\n") != std::string::npos);
  // Views that the tensor memory accelerator cannot read.
  tensors.k.stride[1] = -128;
  CHECK(caught([&] { (void)kernel->bind(problem, tensors, nullptr, 0); }).says("k.stride_row=-128 is refused"));
}

TEST_CASE("what opens no GPU says why and what to do") {
  {
    const Caught none = caught([] { (void)cuda::Driver::open("/nowhere/libcuda.so.1"); });
    CHECK(none.status == Status::device_failed);
    CHECK(none.says("no NVIDIA driver: /nowhere/libcuda.so.1"));
    CHECK(none.says("--device host"));
  }
  CHECK(caught([] { (void)cuda::Driver::open("libc.so.6"); }).says("it has no cuInit"));
  const StubDriver stub;
  stub.set("driver", 11080);
  CHECK(caught([&] { (void)stub.open(); }).says("the NVIDIA driver is for CUDA 11.8; update it to R525"));
  stub.set("driver", 12000);
  stub.set("count", 0);
  CHECK(caught([&] { (void)stub.open(); }).says("CUDA_VISIBLE_DEVICES"));
  stub.set("count", 2);
  const auto driver = stub.open();
  const auto at = [&](const int ordinal) { (void)cuda::GpuDevice(driver, ordinal, {}); };
  CHECK(caught([&] { at(2); }).says("device=gpu:2 is refused: the driver shows 2 GPU(s)"));
  stub.set("cc", 75);
  const Caught turing = caught([&] { at(0); });
  CHECK(turing.status == Status::refused);
  CHECK(turing.says("arch=7.5 is refused"));
  stub.set("cc", 90);
  stub.fail("cuDevicePrimaryCtxRetain", 46);
  CHECK(caught([&] { at(0); }).says("opening the GPU failed: CUDA_ERROR_46 46, said the stub; another process holds"));
}

TEST_CASE("a cubin that does not fit is a miss, not a crash") {
  const StubDriver stub;
  const auto device = open(stub);
  const auto loading = [&](const Binary& binary) { return caught([&] { (void)load(device, binary); }); };
  (void)stub.calls();
  Binary cut = tiny_binary();
  cut.object.resize(cut.object.size() / 2);
  CHECK(loading(cut).status == Status::device_failed);
  const Caught other = loading(tiny_binary("sm_80"));
  CHECK(other.status == Status::device_failed);
  CHECK(other.says("compiled for sm_80 and this GPU needs sm_90a"));
  Binary newer = tiny_binary();
  newer.minimum_driver = 14000;
  CHECK(loading(newer).says("needs a driver for CUDA 14; this one is for 13.0"));
  CHECK(stub.calls().empty());  // the driver never saw them

  Binary absent = tiny_binary();
  absent.launches[0].entry = "missing";
  CHECK(loading(absent).says("finding the entry missing in a kernel failed: CUDA_ERROR_500"));
  Binary strange = tiny_binary();
  strange.launches[0].parameters = {"tensor_map:0"};
  CHECK(loading(strange).says("takes 'tensor_map:0', which is nothing"));
  stub.fail("cuModuleLoadData", 209);
  CHECK(loading(tiny_binary()).says("must be compiled again for this GPU and driver"));
}

TEST_CASE("driver errors become statuses with a next step") {
  const StubDriver stub;
  const auto device = open(stub);
  const auto kernel = load(device);
  const Binding binding = bind(*kernel);
  stub.fail("cuMemAlloc_v2", 2);
  const Caught memory = caught([&] { (void)DeviceBuffer(device->memory(), 1 << 20); });
  CHECK(memory.status == Status::out_of_memory);
  CHECK(memory.says("allocating 1048576 bytes on the GPU failed"));
  stub.fail("cuLaunchKernelEx", 701);
  CHECK(caught([&] { binding.launch(); }).says("launching copy failed: CUDA_ERROR_701"));
  stub.fail("cuCtxSynchronize", 700);
  const Caught fault = caught([&] { device->synchronize(); });
  CHECK(fault.status == Status::device_failed);
  CHECK(fault.says("running a kernel failed"));
  CHECK(fault.says("start the process anew"));
  // A load inside somebody's capture.
  stub.fail("cuModuleLoadData", 900);
  CHECK(caught([&] { (void)load(device); }).status == Status::capturing);
}

TEST_CASE("what a watchdog reported stands in place of the driver's word for a trap") {
  const StubDriver stub;
  constexpr int trapped = 719;  // CUDA_ERROR_LAUNCH_FAILED
  const auto device =
      std::make_shared<cuda::GpuDevice>(stub.open(), 0, CompilerOptions{.watchdog_polls = gpu_watchdog_polls});
  const auto kernel = load(device);
  const Binding binding = bind(*kernel);
  binding.launch();
  stub.fail("cuCtxSynchronize", trapped);
  // A kernel that failed without a report.
  CHECK(caught([&] { device->synchronize(); }).says("running a kernel failed: CUDA_ERROR_719"));
  stub.on_launch(
      [](void*, const char*, const unsigned*, void** parameters) {
        unsigned long long* const report = static_cast<const AttentionArgs*>(parameters[0])->watchdog_report;
        REQUIRE(report != nullptr);
        *report = 17ULL | 9ULL << 32 | 0x4BULL << 40 | 1ULL << 48 | 0ULL << 56 | 1ULL << 57;
      },
      nullptr);
  binding.launch();
  const Caught end = caught([&] { device->synchronize(); });
  CHECK(end.status == Status::device_failed);
  CHECK(end.sentence ==
        "the watchdog stopped the kernel: consumer 1 (warp 9) of block 17 waited in vain for stage 1 of K to become "
        "full (parity 0); start the process anew");
}

TEST_CASE("kernels without a watchdog are told of no place to report to") {
  const StubDriver stub;
  const auto device = open(stub);
  const auto kernel = load(device);
  stub.on_launch(
      [](void*, const char*, const unsigned*, void** parameters) {
        CHECK(static_cast<const AttentionArgs*>(parameters[0])->watchdog_report == nullptr);
      },
      nullptr);
  bind(*kernel).launch();
  CHECK(stub.calls().find("cuMemHostAlloc") == std::string::npos);
}

TEST_CASE("a call beyond the GPU's limits is refused at bind") {
  const StubDriver stub;
  stub.set("shared", 101376);
  stub.set("cc", 90);
  const auto device = open(stub);
  const auto binding = [&](const auto& change) {
    Binary binary = tiny_binary();
    change(binary.launches[0]);
    const auto kernel = load(device, binary);
    return caught([&] { (void)bind(*kernel); });
  };
  CHECK(binding([](LaunchRule& rule) { rule.shared_bytes = "101376 - 32"; }).status == Status::ok);
  CHECK(binding([](LaunchRule& rule) { rule.shared_bytes = "101376"; }).says("at most 101344 bytes"));
  CHECK(binding([](LaunchRule& rule) { rule.grid[1] = "65536"; }).says("grid=16x65536x1 is refused"));
  CHECK(binding([](LaunchRule& rule) { rule.block[1] = "9"; }).says("at most 1024 threads"));
  CHECK(binding([](LaunchRule& rule) { rule.cluster[0] = "16"; }).says("at most 8 block(s)"));
  CHECK(binding([](LaunchRule& rule) { rule.grid[0] = "0"; }).status == Status::ok);
}

TEST_CASE("a launch without blocks is not made") {
  const StubDriver stub;
  const auto device = open(stub);
  Binary binary = tiny_binary();
  binary.launches[0].grid[0] = "0";
  const auto kernel = load(device, binary);
  const Binding binding = bind(*kernel);
  (void)stub.calls();
  binding.launch();
  CHECK(stub.calls().empty());
}
