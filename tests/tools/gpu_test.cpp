// The command on a machine whose GPU is the stub driver, and without any.
#include <doctest/doctest.h>

#include <filesystem>
#include <string>

#include "tests/tools/cli.h"

using namespace attentune::test;

namespace {

const std::string problem = "dtype=bf16 heads=4/2 head_dim=64 seq=64 'mask=causal()'";

// The loader finds the stub first.
Finished with_gpu(const TemporaryFolder& home, const std::string& words, const std::string& settings = "") {
  const std::string folder = std::filesystem::path(ATTENTUNE_CUDA_STUB).parent_path().string();
  return shell(home, "LD_LIBRARY_PATH=" + folder + " CUDA_STUB='" + settings + "' $ATTENTUNE " + words);
}

bool has_nvrtc(const TemporaryFolder& home) {
  const bool found = shell(home, "$ATTENTUNE doctor --json | grep '\"nvrtc\"' | grep -q '\"ok\"'").code == 0;
  if (!found)
    MESSAGE("no NVRTC on this machine");
  return found;
}

}  // namespace

TEST_CASE("a GPU shows its identity") {
  const TemporaryFolder home;
  const Finished finished = with_gpu(home, "devices --device gpu:0 --json", "cc=89");
  CAPTURE(finished.err);
  REQUIRE(finished.code == 0);
  const std::string device = finished.event("device").at("device");
  CHECK(device.starts_with("gpu name=NVIDIA_Stub_80GB arch=sm_89 "));
}

TEST_CASE("a GPU that cannot be used is an error that names the host, never a silent host run") {
  const TemporaryFolder home;
  const Finished old = with_gpu(home, "run " + problem + " --device gpu:0", "driver=11080");
  CHECK(old.code == 1);
  CHECK(is_one_sentence(old));
  CHECK(old.err.find("the NVIDIA driver is for CUDA 11.8") != std::string::npos);
  CHECK(old.err.find("--device host") != std::string::npos);
  CHECK(with_gpu(home, "run " + problem + " --device gpu:0", "cc=75").err.find("arch=7.5 is refused") !=
        std::string::npos);
  CHECK(with_gpu(home, "run " + problem + " --device gpu:7").err.find("device=gpu:7 is refused") != std::string::npos);
}

TEST_CASE("generate and space need neither GPU nor compiler") {
  const TemporaryFolder home;
  const Finished source = shell(home, "$ATTENTUNE generate " + problem + " --arch sm_90a");
  CHECK(source.code == 0);
  CHECK(source.out.starts_with("// problem dtype=bf16"));
  CHECK(source.out.find("__global__") != std::string::npos);
  CHECK(shell(home, "$ATTENTUNE space " + problem + " --arch sm_80 --json").event("space").at("feasible") > 100);
}

TEST_CASE("--templates takes edited texts instead of the built-in ones") {
  const TemporaryFolder home;
  std::filesystem::create_directories(home.path() / "edited/cuda");
  write_text(home.file("edited/cuda/types.cuh"), "// edited\n");
  const std::string generate = "$ATTENTUNE generate " + problem + " --arch sm_90a --templates ";
  const Finished edited = shell(home, generate + "'" + home.file("edited") + "'");
  CHECK(edited.code == 0);
  CHECK(edited.out.find("// ---- cuda/types.cuh\n// edited\n") != std::string::npos);
  const std::string built_in = ATTENTUNE_SOURCE_DIR "/templates";
  CHECK(shell(home, generate + "'" + built_in + "'").out ==
        shell(home, "$ATTENTUNE generate " + problem + " --arch sm_90a").out);
  write_text(home.file("edited/cuda/tipes.cuh"), "// misnamed\n");
  CHECK(shell(home, generate + "'" + home.file("edited") + "'").err.find("cuda/tipes.cuh") != std::string::npos);
  const Finished empty = shell(home, generate + "'" + home.file("edited/cuda") + "'");
  CHECK(empty.code == 2);
  CHECK(is_one_sentence(empty));
}

TEST_CASE("--config takes a point of any family that serves the problem") {
  const TemporaryFolder home;
  const std::string longer = "dtype=bf16 heads=4/2 head_dim=128 seq=4096";
  const auto generated = [&](const std::string& config) {
    return shell(home, "$ATTENTUNE generate " + longer + " --arch sm_90a" + config);
  };
  const std::string mma =
      " --config 'tile_m=64 tile_n=64 warps=4x1 stages=2 q=shared pack=no swizzle=xor min_blocks=1 | splits=1 order=0'";
  CHECK(generated("").out.find("// family forward_wgmma, config") != std::string::npos);
  const Finished other = generated(mma);
  CAPTURE(other.err);
  CHECK(other.out.find("// family forward_mma, config tile_m=64 tile_n=64 warps=4x1") != std::string::npos);
  const Finished outside = generated(" --config 'tile_m=64 warps=3x1 stages=2'");
  CHECK(outside.code == 2);
  CHECK(is_one_sentence(outside));
  CHECK(outside.err.find("forward_mma says: ") != std::string::npos);
  CHECK(outside.err.find("attentune space") != std::string::npos);
  if (!has_nvrtc(home))
    return;
  const Finished compiled = shell(home, "$ATTENTUNE compile " + longer + " --arch sm_90a --json" + mma);
  CHECK(compiled.event("binary").at("family") == "forward_mma");
  // The stub computes nothing: what matters is which kernel was verified and timed.
  for (const std::string command : {"verify ", "bench "}) {
    const Finished ran = with_gpu(home, command + longer + " --device gpu:0 --json" + mma, "cc=90");
    CAPTURE(ran.err);
    CHECK(ran.event("result").at("family") == "forward_mma");
  }
  const Finished tuned = with_gpu(home, "tune " + longer + " --device gpu:0 --budget 20s --json" + mma, "cc=90");
  CAPTURE(tuned.out);
  CHECK(tuned.err.find("no candidate passed") != std::string::npos);
}

TEST_CASE("compile makes a cubin and PTX without a GPU") {
  const TemporaryFolder home;
  if (!has_nvrtc(home))
    return;
  const Finished finished =
      shell(home, "$ATTENTUNE compile " + problem + " --arch sm_90a --json -o " + home.file("k.cubin"));
  CAPTURE(finished.err);
  REQUIRE(finished.code == 0);
  const nlohmann::json binary = finished.event("binary");
  CHECK(binary.at("compiler").get<std::string>().starts_with("nvrtc "));
  CHECK(binary.at("registers") > 0);
  CHECK(binary.at("spill_bytes") == 0);
  CHECK(shell(home, "$ATTENTUNE compile " + problem + " --arch sm_80 --assembly").out.find(".target sm_80") !=
        std::string::npos);
}

TEST_CASE("bench, verify and tune drive a GPU, and a kernel that writes nothing never wins") {
  const TemporaryFolder home;
  if (!has_nvrtc(home))
    return;
  const Finished verified = with_gpu(home, "verify " + problem + " --device gpu:0 --json");
  CHECK(verified.code == 1);
  CHECK(verified.event("result").at("trust") == "compiled_only");
  CHECK(verified.err.find("left a place unwritten") != std::string::npos);
  // A fault takes the context with it: nothing else is judged in that process.
  const Finished stopped =
      with_gpu(home, "verify " + problem + " --all-configs 3 --device gpu:0 --json", "fail:cuCtxSynchronize=700");
  CHECK(stopped.code == 1);
  CHECK(is_one_sentence(stopped));
  CAPTURE(stopped.err);
  CHECK(stopped.err.find("stopped the device: ") != std::string::npos);
  const Finished bench = with_gpu(home, "bench " + problem + " --device gpu:0 --json");
  CHECK(bench.code == 1);
  CHECK(bench.event("result").at("time_ms") > 0);
  CHECK(bench.event("result").at("ceiling").is_null());
  // A fault takes the context with it: each candidate has its own row, and a worker of its own.
  const Finished faulted =
      with_gpu(home, "tune " + problem + " --device gpu:0 --trials 2 --budget 20s --json", "fail:cuCtxSynchronize=700");
  CHECK(faulted.code == 1);
  CAPTURE(faulted.out);
  CHECK(faulted.out.find("\"outcome\":\"faulted\"") != std::string::npos);
  CHECK(faulted.out.find("start the process anew") != std::string::npos);
  const Finished tuned = with_gpu(home, "tune " + problem + " --device gpu:0 --trials 2 --budget 20s --json");
  CHECK(tuned.code == 1);
  CHECK(tuned.err.find("no candidate passed") != std::string::npos);
}
