// forward_mma as text: what it serves, its space, its launches, what reaches the Source.
#include "generator/forward_mma.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <fstream>
#include <sstream>
#include <string>
#include <vector>

#include "generator/forward_mma_shape.h"
#include "generator/workloads.h"

using namespace attentune;

namespace {

const ForwardMma family;

// The built-in workloads this family serves.
std::vector<Problem> served() {
  std::vector<Problem> problems;
  for (const Workload& row : workloads()) {
    for (const NamedProblem& named : workload_problems(row.model, std::nullopt, std::nullopt)) {
      if (!family.refusal(named.problem, gpu_archs().front()))
        problems.push_back(named.problem);
    }
  }
  return problems;
}

const char* const llama = "dtype=bf16 heads=32/8 head_dim=128 seq=4096 mask=causal()";
const char* const llama_config =
    "tile_m=128 tile_n=64 warps=4x1 stages=2 q=shared pack=yes swizzle=xor min_blocks=1 | splits=1 order=1";

std::string refused_field(const std::string& text, const Arch& arch) {
  const auto reason = family.refusal(parse_problem(text), arch);
  return reason ? reason->field : "";
}

}  // namespace

TEST_CASE("every workload has a default inside its space that keeps to registers and shared memory, on every GPU") {
  CHECK(served().size() >= 20);
  for (const Arch& arch : gpu_archs()) {
    const GpuArch& limits = limits_of(arch);
    for (const Problem& p : served()) {
      CAPTURE(arch.name);
      CAPTURE(to_text(p));
      const Config config = family.default_config(p, arch);
      const auto reason = family.space(p, arch).why_not(config);
      CHECK_MESSAGE(!reason.has_value(), reason.value_or(""));
      const MmaShape shape = mma_shape(config);
      CHECK(registers_needed(shape, p) <= registers_allowed(shape, limits));
      CHECK(shared_bytes(shape, p) <= limits.shared_per_block);
    }
  }
}

TEST_CASE("a space has many points, all of them with a cost") {
  for (const char* text : {llama, "dtype=bf16 heads=32/8 head_dim=128 seq=1/4096 mask=causal()",
                           "dtype=f16 heads=1 head_dim=256 seq=64", "dtype=f16 heads=3 head_dim=8/256 seq=7/1"}) {
    const Problem p = parse_problem(text);
    std::size_t points = 0;
    const ConfigSpace space = family.space(p, gpu_arch("sm_86"));
    CHECK(space.raw_size() <= 1 << 20);
    space.for_each([&](const Config& config) {
      if (points++ % 50 == 0)
        CHECK(family.resources(p, gpu_arch("sm_86"), config).cost > 0);
      return true;
    });
    CAPTURE(text);
    CHECK(points >= 50);
    CHECK(points <= 20000);
  }
}

TEST_CASE("few rows against many keys: a row tile of one fragment, and keys split over blocks") {
  const Problem decode = parse_problem("dtype=bf16 heads=32/8 head_dim=128 seq=1/16384 mask=causal()");
  const MmaShape shape = mma_shape(family.default_config(decode, gpu_arch("sm_80")));
  CHECK(shape.tile_m == 16);
  CHECK(shape.splits > 1);
  CHECK(shape.packed);
}

TEST_CASE("what it does not serve is refused by name") {
  const Arch arch = gpu_arch("sm_80");
  CHECK(refused_field(llama, arch).empty());
  CHECK(refused_field(llama, Arch{.kind = Arch::Kind::host, .name = "znver4", .machine = "x86_64"}) == "arch");
  CHECK(refused_field("dtype=f32 heads=2 head_dim=64 seq=64", arch) == "dtype");
  CHECK(refused_field("dtype=bf16 k=f16 heads=2 head_dim=64 seq=64", arch) == "k");
  CHECK(refused_field("dtype=bf16 out=f32 heads=2 head_dim=64 seq=64", arch) == "out");
  CHECK(refused_field("dtype=bf16 heads=2 head_dim=68 seq=64", arch) == "head_dim");
  CHECK(refused_field("dtype=bf16 heads=2 head_dim=264 seq=64", arch) == "head_dim");
  CHECK(refused_field("dtype=bf16 heads=2 head_dim=64 seq=64 layout=varlen", arch) == "layout");
  CHECK(refused_field("dtype=bf16 heads=2 head_dim=64 seq=64 align=8", arch) == "align");
  CHECK(refused_field("dtype=bf16 heads=2048/1 head_dim=64 seq=64", arch) == "heads");
  CHECK(refused_field("dtype=bf16 heads=1 head_dim=64 seq=1/1000000001", arch) == "seq");
  CHECK(refused_field("dtype=bf16 batch=1000000 heads=64 head_dim=64 seq=100000", arch) == "batch");
  CHECK(family_for(parse_problem(llama), arch).name() == "forward_mma");
  CHECK_THROWS_AS((void)family.render(parse_problem(llama), arch, parse_config("tile_m=1")), RefusalError);
}

TEST_CASE("the source depends on the class and the compile choices alone") {
  const Arch arch = gpu_arch("sm_80");
  const Config config = parse_config(llama_config);
  const Source source = family.render(parse_problem(llama), arch, config);
  CHECK(source.language == Language::cuda);
  const std::string neighbour = "dtype=bf16 batch=3 heads=64/16 head_dim=128 seq=100/900 mask=causal() scale=0.3";
  CHECK(family.render(parse_problem(neighbour), arch, config) == source);

  std::vector<Choice> choices = config.choices();
  choices.back().value = "2";
  CHECK(family.render(parse_problem(llama), arch, Config(choices)) == source);

  const std::string with_lse = std::string(llama) + " outputs=out,lse";
  CHECK(family.render(parse_problem(with_lse), arch, config).text != source.text);
}

TEST_CASE("one call is the forward launch and, where keys are split, a combining one") {
  const Source source = family.render(parse_problem(llama), gpu_arch("sm_80"), parse_config(llama_config));
  REQUIRE(source.launches.size() == 2);
  CHECK(source.launches[0].entry == "attentune_forward");
  CHECK(source.launches[0].grid[0] == "splits * batch * heads_kv * ceil_div(len_q * group, 128)");
  CHECK(source.launches[0].block[0] == "128");
  // Q 128 rows, two stages of 64 rows of K and of V, 256 bytes each.
  CHECK(source.launches[0].shared_bytes == std::to_string((128 + 2 * 2 * 64) * 256));
  CHECK(source.launches[1].entry == "attentune_combine");
  CHECK(source.launches[1].depends_on_previous);
  CHECK(source.launches[0].workspace == source.launches[1].workspace);
}

TEST_CASE("the text includes nothing and says for whom it is") {
  const std::string text = family.render(parse_problem(llama), gpu_arch("sm_90a"), parse_config(llama_config)).text;
  CHECK(text.find("// arch:   sm_90a\n") != std::string::npos);
  CHECK(text.find("  TILE_M = 128,\n") != std::string::npos);
  CHECK(text.find("return causal(at);") != std::string::npos);
  // The one include stands where NVRTC does not look.
  CHECK(text.find("#include") == text.rfind("#include"));
  CHECK(text.find("constexpr int") == std::string::npos);
}

// After a deliberate change of a template, write what the test found (it says where) over the golden file.
TEST_CASE("a whole Source, as a reader would get it") {
  const Problem p = parse_problem(
      "dtype=f16 heads=8/2 head_dim=80/72 seq=512 mask=causal()&(window(100,0)|sink(4)) score=softcap(30) "
      "outputs=out,lse sink_logit=yes");
  const Config config = parse_config(
      "tile_m=64 tile_n=64 warps=4x1 stages=2 q=registers pack=yes swizzle=xor min_blocks=1 | splits=1 order=0");
  const std::string text = family.render(p, gpu_arch("sm_89"), config).text;
  std::ifstream file(std::string(ATTENTUNE_TEST_DATA) + "/forward_mma.cu");
  std::ostringstream golden;
  golden << file.rdbuf();
  const bool same = text == golden.str();
  if (!same)
    std::ofstream("forward_mma.cu") << text;
  CHECK_MESSAGE(same, "the Source is now that of ./forward_mma.cu");
}
