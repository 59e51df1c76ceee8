#include "runtime/cuda/compiler.h"

#include <doctest/doctest.h>

#include <filesystem>
#include <fstream>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "generator/error.h"
#include "runtime/cuda/compile_log.h"
#include "runtime/cuda/cubin.h"
#include "runtime/cuda/nvrtc_search.h"
#include "tests/runtime/cuda/tiny_source.h"

using namespace attentune;
using attentune::test::tiny_source;

namespace {

// Where the tests run there may be no NVRTC; then there is nothing to compile with, and that is said.
std::shared_ptr<const cuda::CudaCompiler> compiler(const char* const target) {
  try {
    return cuda::cuda_compiler_for(gpu_arch(target), {});
  } catch (const RefusalError& refusal) {
    MESSAGE(refusal.what());
    return nullptr;
  }
}

std::string refusal_of(const Arch& arch, const CompilerOptions& options) {
  try {
    (void)cuda::find_nvrtc(arch, options);
  } catch (const RefusalError& refusal) {
    return refusal.what();
  }
  return "";
}

}  // namespace

TEST_CASE("a Source becomes a cubin for every Arch of the table, with the same figures from log and file") {
  for (const GpuArch& row : gpu_arch_table()) {
    const auto nvrtc = compiler(std::string(row.target).c_str());
    if (!nvrtc)
      return;
    CAPTURE(row.target);
    const Binary binary = nvrtc->compile(tiny_source());
    const cuda::CompileLog log = cuda::parse_compile_log(binary.log);
    const cuda::Cubin cubin = cuda::read_cubin(binary.object);
    REQUIRE(cubin.entries.size() == 1);
    CHECK(cubin.sm / 10 == row.major);
    CHECK(cubin.entries[0] == cuda::CubinEntry{.name = "copy",
                                               .registers = log.registers,
                                               .stack_bytes = log.stack_bytes,
                                               .shared_bytes = log.shared_bytes});
    CHECK(binary.registers > 0);
    CHECK(binary.shared_bytes == 32);
    CHECK(binary.spill_bytes == 0);
    CHECK(log.global_bytes == 0);
    CHECK(binary.compiler.starts_with("nvrtc "));
    CHECK(binary.minimum_driver >= 12000);
    CHECK(nvrtc->compile(tiny_source()).object == binary.object);
  }
}

TEST_CASE("the PTX of a Source names its lines") {
  const auto nvrtc = compiler("sm_80");
  if (!nvrtc)
    return;
  const std::string ptx = nvrtc->ptx(tiny_source());
  CHECK(ptx.find(".target sm_80") != std::string::npos);
  CHECK(ptx.find(".loc") != std::string::npos);
  CHECK(ptx.find(".visible .entry copy") != std::string::npos);
}

TEST_CASE("errors carry the compiler's words") {
  const auto nvrtc = compiler("sm_90a");
  if (!nvrtc)
    return;
  Source source = tiny_source();
  source.text = "extern \"C\" __global__ void f() { nothing(); }";
  try {
    (void)nvrtc->compile(source);
    FAIL("it compiled");
  } catch (const Error& error) {
    CHECK(error.status() == Status::compile_failed);
    CHECK(std::string(error.what()).find("\"nothing\" is undefined") != std::string::npos);
  }
  source.text = "extern \"C\" __global__ void f() { asm volatile(\"nonsense.b32;\"); }";
  CHECK_THROWS_AS((void)nvrtc->compile(source), Error);
  source.language = Language::llvm_ir;
  CHECK_THROWS_AS((void)nvrtc->compile(source), Error);
}

TEST_CASE("an ignored setmaxnreg is refused with ptxas's reason") {
  const auto nvrtc = compiler("sm_90a");
  if (!nvrtc)
    return;
  Source source = tiny_source();
  source.text =
      "extern \"C\" __global__ void f(float* p) { asm volatile(\"setmaxnreg.inc.sync.aligned.u32 240;\"); *p = 1; }";
  try {
    (void)nvrtc->compile(source);
    FAIL("it was not refused");
  } catch (const RefusalError& refusal) {
    CHECK(refusal.refusal().limit.find("C7508") != std::string::npos);
  }
}

TEST_CASE("spills are counted") {
  const auto nvrtc = compiler("sm_80");
  if (!nvrtc)
    return;
  Source source = tiny_source();
  source.text = R"(extern "C" __global__ void __launch_bounds__(1024, 2) f(float* p) {
  float a[96];
#pragma unroll
  for (int i = 0; i < 96; ++i) a[i] = p[i * 1024 + threadIdx.x];
  __syncthreads();
#pragma unroll
  for (int i = 0; i < 96; ++i) p[(95 - i) * 1024 + threadIdx.x] = a[i] * a[(i * 7 + 3) % 96];
})";
  const Binary binary = nvrtc->compile(source);
  CHECK(binary.registers <= 32);
  CHECK(binary.spill_bytes > 0);
}

TEST_CASE("threads compile at the same time") {
  const auto nvrtc = compiler("sm_90a");
  if (!nvrtc)
    return;
  const std::vector<std::uint8_t> expected = nvrtc->compile(tiny_source()).object;
  std::vector<std::vector<std::uint8_t>> objects(4);
  {
    std::vector<std::jthread> threads;
    for (auto& object : objects)
      threads.emplace_back([&] { object = nvrtc->compile(tiny_source()).object; });
  }
  for (const auto& object : objects)
    CHECK(object == expected);
}

TEST_CASE("an NVRTC that will not do is named with its reason") {
  const Arch arch = gpu_arch("sm_90a");
  CHECK(refusal_of(arch, {.nvrtc = "/nowhere/libnvrtc.so"}).find("ATTENTUNE_NVRTC names /nowhere") !=
        std::string::npos);
  CHECK(refusal_of(arch, {.nvrtc = "libc.so.6"}).find("it has no nvrtcVersion") != std::string::npos);
  if (compiler("sm_90a") == nullptr)
    return;
  const std::string old = refusal_of(arch, {.driver = 11080});
  CHECK(old.find("needs a driver for CUDA") != std::string::npos);
  CHECK(old.find("pip install nvidia-cuda-nvrtc-cu12") != std::string::npos);
}

TEST_CASE("of several NVRTCs the newest is taken that knows the Arch and that the driver can load") {
  const auto stub = [](const char* const version) {
    return std::string(ATTENTUNE_NVRTC_STUBS) + "/libnvrtc_" + version + ".so";
  };
  // 12.8 knows no family-specific targets; 14.0 has dropped sm_80.
  const std::vector<std::string> candidates{stub("12.8"), stub("13.1"), "/nowhere/libnvrtc.so", stub("14.0"),
                                            stub("12.9")};
  const auto taken = [&](const char* const target, const int driver) {
    const auto nvrtc = cuda::find_nvrtc(gpu_arch(target), {.driver = driver}, candidates);
    return std::pair(nvrtc->version().major, nvrtc->version().minor);
  };
  CHECK(taken("sm_90a", 0) == std::pair(14, 0));
  CHECK(taken("sm_80", 0) == std::pair(13, 1));
  CHECK(taken("sm_90a", 13000) == std::pair(13, 1));
  CHECK(taken("sm_90a", 12040) == std::pair(12, 9));
  CHECK(taken("sm_100f", 12040) == std::pair(12, 9));

  const auto refusal_among = [](const std::vector<std::string>& found) {
    try {
      (void)cuda::find_nvrtc(gpu_arch("sm_80"), {.driver = 12040}, found);
    } catch (const RefusalError& refusal) {
      return std::string(refusal.what());
    }
    return std::string();
  };
  const std::string nowhere = refusal_among({"/nowhere/libnvrtc.so"});
  CHECK(nowhere.find("no NVRTC (libnvrtc.so) was found on this machine") != std::string::npos);
  CHECK(nowhere.find("pip install nvidia-cuda-nvrtc-cu12") != std::string::npos);
  const std::string useless = refusal_among({stub("13.1"), stub("14.0")});
  CHECK(useless.find("NVRTC 13.1 at ") != std::string::npos);
  CHECK(useless.find("its code needs a driver for CUDA 14, and this one is for 12.4") != std::string::npos);
}

TEST_CASE("toolkits, conda environments and Python packages are looked into") {
  namespace fs = std::filesystem;
  const fs::path root = fs::temp_directory_path() / "attentune_nvrtc_search";
  const auto touch = [&](const fs::path& path) {
    fs::create_directories((root / path).parent_path());
    std::ofstream(root / path) << "";
  };
  fs::remove_all(root);
  touch("kit/bin/nvcc");
  touch("kit/lib64/libnvrtc.so.12");
  touch("kit/lib64/libnvrtc.alt.so.12");
  touch("env/conda-meta/history");
  touch("env/lib/libnvrtc.so.12.4");
  touch("plain/lib/libnvrtc.so");
  touch("venv/lib/python3.11/site-packages/nvidia/cu13/lib/libnvrtc.so.13");
  const auto at = [&](const char* const folder) { return (root / folder / "bin").string(); };
  const std::vector<std::string> found =
      cuda::nvrtc_candidates(at("venv") + ":" + at("env") + ":" + at("kit") + "::" + at("plain") + ":relative/bin");
  std::string own;
  for (const std::string& path : found) {
    if (path.starts_with(root.string()))
      own += path.substr(root.string().size()) + "\n";
  }
  CHECK(own ==
        "/kit/lib64/libnvrtc.so.12\n"
        "/env/lib/libnvrtc.so.12.4\n"
        "/venv/lib/python3.11/site-packages/nvidia/cu13/lib/libnvrtc.so.13\n");
  fs::remove_all(root);
}
