// Kernels for another machine, compiled by clang and run under its emulator: NEON on x86-64.
#include <doctest/doctest.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include <fmt/format.h>

#include "generator/forward_host.h"
#include "templates/launch.h"

namespace attentune {
namespace {

constexpr const char* compiler = "clang-19";
constexpr const char* linker = "aarch64-linux-gnu-gcc";
constexpr const char* emulator = "qemu-aarch64-static";

bool runs(const std::string& command) { return std::system((command + " >/dev/null 2>&1").c_str()) == 0; }

const char* missing_tool() {
  for (const char* tool : {compiler, linker, emulator}) {
    if (!runs(fmt::format("command -v {}", tool)))
      return tool;
  }
  return nullptr;
}

std::int64_t evaluate(const std::string& text, const Problem& p, std::int64_t split) {
  const std::vector<AttentuneScalar> scalars{{"batch", p.batch},   {"heads_q", p.heads_q}, {"heads_kv", p.heads_kv},
                                             {"group", p.group()}, {"len_q", p.len_q},     {"len_kv", p.len_kv},
                                             {"workers", 1},       {"grain", 1},           {"split", split}};
  std::int64_t value = -1;
  REQUIRE(attentune_evaluate(text.c_str(), scalars.data(), static_cast<int>(scalars.size()), &value) == 0);
  return value;
}

// What cross_driver.c wants to know.
std::string macros(const Problem& p, const Source& source, std::int64_t split) {
  std::string text = fmt::format(
      "-DHEAD_DIM_QK={} -DHEAD_DIM_V={} -DHEADS_Q={} -DHEADS_KV={} -DLEN_Q={} -DLEN_KV={} -DCAUSAL={} -DDTYPE={} "
      "-DTOLERANCE={} -DSPLIT={}",
      p.head_dim_qk, p.head_dim_v, p.heads_q, p.heads_kv, p.len_q, p.len_kv, p.mask.is_all() ? 0 : 1,
      p.q == Dtype::f32   ? 0
      : p.q == Dtype::f16 ? 1
                          : 2,
      p.q == Dtype::f32 ? "2e-6" : "8e-3", split);
  std::int64_t pack_tasks = 0;
  std::int64_t packed = 0;
  for (const LaunchRule& rule : source.launches) {
    const std::int64_t tasks = evaluate(rule.grid[0], p, split);
    if (rule.entry == "attentune_pack") {
      pack_tasks = tasks;
      packed = evaluate(rule.workspace[0].bytes, p, split);
    } else if (rule.entry == "attentune_forward") {
      text += fmt::format(" -DTASKS={} -DSCRATCH={} -DPARTIAL={}", tasks, evaluate(rule.workspace[0].bytes, p, split),
                          evaluate(rule.workspace[1].bytes, p, split));
    } else {
      text += fmt::format(" -DCOMBINE_TASKS={}", tasks);
    }
  }
  return text + fmt::format(" -DPACK_TASKS={} -DPACKED={}", pack_tasks, packed);
}

TEST_CASE("NEON kernels compute the same attention under an emulator") {
  if (const char* tool = missing_tool()) {
    MESSAGE("skipped: ", tool, " is not installed");
    return;
  }
  const ForwardHost family;
  const Arch neon{.kind = Arch::Kind::host, .name = "neoverse-n1", .machine = "aarch64", .features = {"neon"}};
  const std::filesystem::path folder =
      std::filesystem::temp_directory_path() / fmt::format("attentune_cross_{}", getpid());
  std::filesystem::create_directories(folder);
  const std::filesystem::path root = std::filesystem::path(ATTENTUNE_TEST_DATA) / "../../..";
  for (const char* text : {
           "dtype=f32 heads=2/1 head_dim=64 seq=70/100 mask=causal()",
           "dtype=bf16 heads=2 head_dim=40/48 seq=33/65",
           "dtype=f16 heads=4/2 head_dim=64 seq=200 mask=causal()",
           "dtype=bf16 heads=4/1 head_dim=128 seq=1/2100",
           "dtype=f32 heads=3/1 head_dim=20/36 seq=1/77",
       }) {
    const Problem problem = parse_problem(text);
    const Config config = family.default_config(problem, neon);
    const Source source = family.render(problem, neon, config);
    std::ofstream(folder / "kernel.ll") << source.text;
    INFO(text, "  ", to_text(config));
    const std::string in = fmt::format("cd {} && ", folder.string());
    REQUIRE(
        runs(in + fmt::format("{} --target=aarch64-linux-gnu -O2 -Wno-override-module -c -x ir kernel.ll", compiler)));
    REQUIRE(
        runs(in + fmt::format("{} -static -O1 {} -I{} {}/cross_driver.c kernel.o -o kernel -lm", linker,
                              macros(problem, source, config.integer("split")), root.string(), ATTENTUNE_TEST_DATA)));
    CHECK(runs(in + fmt::format("{} ./kernel", emulator)));
  }
  std::filesystem::remove_all(folder);
}

}  // namespace
}  // namespace attentune
