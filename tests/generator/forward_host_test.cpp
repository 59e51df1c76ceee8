// forward_host as text: what it serves, its space, and what reaches the Source. Numbers: tests/runtime.
#include "generator/forward_host.h"
#include "generator/host_config.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <string>
#include <vector>

#include "generator/host_target.h"

using namespace attentune;

namespace {

const ForwardHost family;

Arch arch(std::string name, std::vector<std::string> features, std::string machine = "x86_64") {
  std::sort(features.begin(), features.end());
  return Arch{.kind = Arch::Kind::host,
              .name = std::move(name),
              .machine = std::move(machine),
              .features = std::move(features)};
}

std::vector<Arch> archs() {
  return {arch("x86-64", {"sse", "sse2"}), arch("haswell", {"sse2", "avx", "avx2", "f16c", "fma"}),
          arch("znver4", {"sse2", "avx", "avx2", "f16c", "fma", "avx512f", "avx512vl"}),
          arch("neoverse-n1", {"neon"}, "aarch64"),
          arch("sapphirerapids", {"sse2", "avx", "avx2", "f16c", "fma", "avx512f", "avx512vl", "avx512dq", "avx512bf16",
                                  "amx-tile", "amx-bf16"})};
}

Problem problem(const std::string& text) { return parse_problem(text); }
const std::string llama = "dtype=bf16 heads=32/8 head_dim=128 seq=4096 mask=causal()";

}  // namespace

TEST_CASE("every host has a space of at least 200 points and a default inside it") {
  for (const Arch& host : archs()) {
    for (const char* text :
         {"dtype=bf16 heads=32/8 head_dim=128 seq=4096 mask=causal()", "dtype=f32 heads=1 head_dim=1 seq=1",
          "dtype=f16 heads=128/1 head_dim=576/512 seq=1/4096", "dtype=f16 heads=8 head_dim=40 seq=1024/77",
          "dtype=f32 heads=7/1 head_dim=576 seq=3/100000", "dtype=f32 heads=2 head_dim=64 seq=20/0",
          "dtype=bf16 heads=8/1 head_dim=128 seq=1/40"}) {
      INFO(host.name, " ", text);
      const Problem p = problem(text);
      const ConfigSpace space = family.space(p, host);
      std::size_t points = 0;
      space.for_each([&](const Config& config) {
        const Resources needs = family.resources(p, host, config);
        CHECK(needs.cost >= (p.len_kv == 0 ? 0 : 1));
        CHECK(needs.registers <= vector_registers(host, vector_bits(host)));
        ++points;
        return true;
      });
      CHECK(points >= 200);
      CHECK(points <= 24000);
      const auto reason = space.why_not(family.default_config(p, host));
      CHECK_MESSAGE(!reason.has_value(), reason.value_or(""));
    }
  }
}

TEST_CASE("tiles multiply f32 where rows pay for taking it apart, and whole panels alone") {
  const Arch amx = archs().back();
  const auto product = [&](const std::string& text) {
    return family.default_config(problem(text), amx).word("product");
  };
  CHECK(product("dtype=f32 heads=8 head_dim=128 seq=512") == "tile");
  CHECK(product("dtype=f16 heads=8 head_dim=40 seq=512") == "tile");
  CHECK(product("dtype=f32 heads=8 head_dim=64 seq=24/1024") == "fma");
  CHECK(product("dtype=f32 heads=8 head_dim=128 seq=1/1024") == "fma");
  CHECK(product("dtype=bf16 heads=8 head_dim=128 seq=20/0") == "tile");
  for (const char* text : {"dtype=bf16 heads=8/1 head_dim=128 seq=1/40", "dtype=f32 heads=2 head_dim=40 seq=64/40"}) {
    family.space(problem(text), amx).for_each([&](const Config& config) {
      CHECK((config.word("product") != "tile" || config.integer("tile_n") % 32 == 0));
      return true;
    });
  }
}

TEST_CASE("the tail of a head dim takes the tiles its products fill") {
  const auto tiles = [](const std::string& text) { return host::qk_tail_tiles(problem(text), host::Product::tile); };
  CHECK(host::products_of(3, 3, host::qk_most) == 6);
  CHECK(host::products_of(2, 2, host::qk_most) == 4);
  CHECK(host::products_of(3, 1, host::qk_most) == 3);
  CHECK(tiles("dtype=f32 heads=1 head_dim=64 seq=1") == 0);
  CHECK(tiles("dtype=f32 heads=1 head_dim=37 seq=1") == 1);
  CHECK(tiles("dtype=f32 heads=1 head_dim=40 seq=1") == 2);
  CHECK(tiles("dtype=f32 heads=1 head_dim=26 seq=1") == 5);
  CHECK(tiles("dtype=f32 heads=1 head_dim=27 seq=1") == 0);
  CHECK(tiles("dtype=f16 heads=1 head_dim=24 seq=1") == 3);
  CHECK(tiles("dtype=f16 heads=1 head_dim=25 seq=1") == 0);
  CHECK(tiles("dtype=bf16 heads=1 head_dim=40 seq=1") == 0);
}

TEST_CASE("a launch before packs for all tasks where several share a KV head") {
  const Arch host = archs()[1];
  const auto feasible = [&](const std::string& text, const std::string& pack) {
    const Problem p = problem(text);
    bool found = false;
    family.space(p, host).for_each([&](const Config& config) {
      found = config.word("pack") == pack;
      return !found;
    });
    return found;
  };
  CHECK(feasible(llama, "whole"));
  CHECK(!feasible("dtype=bf16 heads=8/8 head_dim=128 seq=1/4096", "whole"));
  // 8 GiB of packed tiles are too much.
  CHECK(!feasible("dtype=bf16 batch=64 heads=32/32 head_dim=128 seq=4096", "whole"));
  CHECK(feasible("dtype=f32 heads=8 head_dim=128 seq=64", "k"));
  CHECK(!feasible("dtype=f32 heads=8 head_dim=128/120 seq=64", "k"));
  CHECK(!feasible("dtype=f32 v=bf16 heads=8 head_dim=128 seq=64", "k"));
}

TEST_CASE("the default micro-kernel fills the registers, and no more rows than there are") {
  const auto micro = [](const Arch& host, const char* text) {
    return family.default_config(problem(text), host).word("micro");
  };
  const std::vector<Arch> hosts = archs();
  const char* const prefill = "dtype=f32 heads=1 head_dim=128 seq=2048";
  CHECK(micro(hosts[0], prefill) == "2x1");
  CHECK(micro(hosts[1], prefill) == "6x1");
  CHECK(micro(hosts[2], prefill) == "6x4");
  CHECK(micro(hosts[3], prefill) == "6x1");
  CHECK(micro(hosts[2], "dtype=bf16 heads=4/1 head_dim=128 seq=1/4096") == "4x4");
  CHECK(micro(hosts[2], "dtype=bf16 heads=1 head_dim=128 seq=1/4096") == "1x8");
}

#if ATTENTUNE_HOST_CODEGEN

TEST_CASE("pack=whole is a launch before that shares what it packed; combine shares the parts") {
  const Arch host = archs()[2];
  const Problem p = problem(llama);
  std::vector<Choice> choices = family.default_config(p, host).choices();
  for (Choice& choice : choices) {
    if (choice.name == "pack")
      choice.value = "whole";
  }
  const std::vector<LaunchRule> launches = family.render(p, host, Config(choices)).launches;
  REQUIRE(launches.size() == 3);
  CHECK(launches[0].entry == "attentune_pack");
  CHECK(launches[1].entry == "attentune_forward");
  CHECK(launches[2].entry == "attentune_combine");
  CHECK(launches[1].depends_on_previous);
  CHECK(launches[2].depends_on_previous);
  REQUIRE(launches[0].workspace.size() == 1);
  REQUIRE(launches[1].workspace.size() == 3);
  REQUIRE(launches[2].workspace.size() == 1);
  CHECK(launches[0].workspace[0] == launches[1].workspace[2]);
  CHECK(launches[2].workspace[0] == launches[1].workspace[1]);
  CHECK(!launches[0].workspace[0].per_worker);
  CHECK(launches[1].workspace[0].per_worker);
  // What one bucket found renders for any other.
  CHECK(family.render(problem("dtype=bf16 heads=4/1 head_dim=128 seq=1/10 mask=causal()"), host, Config(choices))
            .launches == launches);
}

TEST_CASE("the source depends on the class and the compile choices alone") {
  const Arch host = archs()[2];
  const Problem p = problem(llama);
  const Config config = family.default_config(p, host);
  const Source source = family.render(p, host, config);
  CHECK(source == family.render(p, host, config));

  Problem same_class = problem("dtype=bf16 batch=3 heads=64/16 head_dim=128 seq=100/900 mask=causal() scale=0.3");
  CHECK(family.render(same_class, host, config) == source);

  std::vector<Choice> choices = config.choices();
  choices.back().value = "4";
  CHECK(family.render(p, host, Config(choices)).text == source.text);

  Problem other = p;
  other.lse = true;
  CHECK(family.render(other, host, config).text != source.text);
}

TEST_CASE("the text is complete and says for whom it is") {
  for (const Arch& host : archs()) {
    const Problem p = problem(llama);
    const std::string text = family.render(p, host, family.default_config(p, host)).text;
    CHECK(text.find("external constant") == std::string::npos);
    CHECK(text.find("source_filename") == std::string::npos);
    CHECK(text.find("llvm.ident") == std::string::npos);
    CHECK(text.find("@attentune_visible(i64 %i, i64 %j, ptr %arguments)") != std::string::npos);
    CHECK(text.find("@attentune_visible(i64 noundef, i64 noundef, ptr noundef)") == std::string::npos);
    CHECK(text.find(std::string(host_target(host.machine)->triple)) != std::string::npos);
    CHECK(text.find("\"tune-cpu\"=\"" + host.name + "\"") != std::string::npos);
    CHECK(text.find("\"tune-cpu\"=\"generic\"") == std::string::npos);
  }
}

TEST_CASE("what it does not serve is refused by name") {
  const Arch host = archs()[1];
  const auto field = [&](const std::string& text, const Arch& where) {
    const auto reason = family.refusal(problem(text), where);
    return reason ? reason->field : std::string();
  };
  CHECK(field(llama, host).empty());
  CHECK(field(llama, gpu_arch(9, 0)) == "arch");
  CHECK(field("dtype=e4m3 heads=2 head_dim=64 seq=64", host) == "dtype");
  CHECK(field("dtype=bf16 k=e4m3 v=e4m3 heads=2 head_dim=64 seq=64", host) == "k");
  CHECK(field("dtype=bf16 heads=2 head_dim=577 seq=64", host) == "head_dim");
  CHECK(field("dtype=bf16 heads=2 head_dim=64 seq=64 layout=varlen", host) == "layout");
  CHECK_THROWS_AS((void)family_for(problem("dtype=bf16 heads=2 head_dim=577 seq=64"), host), RefusalError);
  CHECK(family_for(problem(llama), host).name() == "forward_host");
  CHECK(find_family("forward_host") != nullptr);
  CHECK(find_family("nothing") == nullptr);
  CHECK_THROWS_AS((void)family.render(problem(llama), host, parse_config("tile_m=1")), RefusalError);
}

#else

TEST_CASE("a build without host code generation says so") {
  const auto reason = family.refusal(problem(llama), archs()[1]);
  REQUIRE(reason.has_value());
  CHECK(reason->field == "arch");
  CHECK(reason->limit == "this build has no host code generation");
  CHECK_THROWS_AS((void)family_for(problem(llama), archs()[1]), RefusalError);
}

#endif
