// forward_wgmma as text and numbers: what it serves, its layouts and what reaches the Source.
#include "generator/forward_wgmma.h"

#include <doctest/doctest.h>

#include <fstream>
#include <iterator>
#include <string>

#include "generator/forward_wgmma_cost.h"
#include "generator/forward_wgmma_shape.h"

using namespace attentune;

namespace {

const ForwardWgmma family;
const Arch hopper = gpu_arch("sm_90a");
const std::string llama = "dtype=bf16 heads=32/8 head_dim=128 seq=4096 mask=causal()";

std::string golden(const std::string& name) {
  std::ifstream file(std::string(ATTENTUNE_TEST_DATA) + '/' + name);
  return {std::istreambuf_iterator<char>(file), {}};
}

// What the generator writes itself: sections of template files keep their headings only.
std::string without_templates(const std::string& text) {
  constexpr std::string_view mark = "\n// ---- ";
  std::string result = text.substr(0, text.find(mark));
  for (std::size_t at = text.find(mark); at != std::string::npos;) {
    const std::size_t next = text.find(mark, at + 1);
    const std::string section = text.substr(at, next - at);
    const bool generated = section.starts_with("\n// ---- generated");
    result += generated ? section : section.substr(0, section.find('\n', 1) + 1);
    at = next;
  }
  return result;
}

}  // namespace

TEST_CASE("forward_wgmma refuses what it does not serve, by field") {
  const auto refused = [](const std::string& text, const Arch& arch) {
    const auto reason = family.refusal(parse_problem(text), arch);
    return reason ? reason->field : std::string();
  };
  CHECK(refused(llama, hopper).empty());
  CHECK(refused("dtype=f16 heads=1 head_dim=256/8 seq=1", hopper).empty());
  CHECK(refused(llama, gpu_arch("sm_80")) == "arch");
  CHECK(refused(llama, gpu_arch("sm_100f")) == "arch");
  CHECK(refused("dtype=f32 heads=1 head_dim=64 seq=1", hopper) == "dtype");
  CHECK(refused("dtype=bf16 k=f16 heads=1 head_dim=64 seq=1", hopper) == "k");
  CHECK(refused("dtype=bf16 heads=1 head_dim=60 seq=1", hopper) == "head_dim");
  CHECK(refused("dtype=bf16 heads=1 head_dim=264 seq=1", hopper) == "head_dim");
  CHECK(refused("dtype=bf16 heads=1 head_dim=64 seq=1 align=8", hopper) == "align");
  CHECK(refused("dtype=bf16 heads=1 head_dim=64 seq=1 layout=varlen", hopper) == "layout");
}

TEST_CASE("the default is a point of the space, and of the kind known to be fast") {
  const auto chosen = [](const std::string& text) {
    const Problem p = parse_problem(text);
    const Config config = family.default_config(p, hopper);
    const auto reason = family.space(p, hopper).why_not(config);
    CHECK_MESSAGE(!reason.has_value(), reason.value_or(""));
    return wgmma_shape(config);
  };
  // FlashAttention-3, Shah et al. 2024: two or three warpgroups, wide key tiles, two stages, overlap.
  for (const char* text :
       {"dtype=bf16 heads=16 head_dim=128 seq=8192", "dtype=f16 heads=16 head_dim=192/128 seq=8192"}) {
    const WgmmaShape shape = chosen(text);
    CHECK(shape.tile_m == 128);
    CHECK(shape.tile_n >= 128);
    CHECK(shape.stages_k == 2);
    CHECK(shape.stages_v == 2);
    CHECK(shape.overlap);
    CHECK(shape.take_turns);
    CHECK(shape.rescale_lazily);
    CHECK_FALSE(shape.store_by_copy);  // K and V leave no room
  }
  CHECK(chosen("dtype=bf16 heads=16 head_dim=64 seq=8192 mask=causal()").store_by_copy);
  CHECK(chosen("dtype=bf16 heads=16 head_dim=256 seq=8192").rescale_lazily);
  CHECK(chosen("dtype=bf16 heads=16 head_dim=64 seq=8192 mask=causal()").tile_m == 192);
  // Few rows: the heads of a group share them, and blocks share the keys.
  const WgmmaShape decode = chosen("dtype=bf16 heads=32/8 head_dim=128 seq=1/8192");
  CHECK(decode.tile_m == 64);
  CHECK(decode.packed);
  CHECK(decode.splits > 1);
  CHECK(chosen("dtype=bf16 heads=32/8 head_dim=128 seq=128/32768 mask=causal()").splits == 4);
  CHECK(chosen(llama).packed);
  CHECK(chosen(llama).splits == 1);
  CHECK(chosen("dtype=bf16 heads=1 head_dim=8 seq=0").tile_m == 64);
}

TEST_CASE("on Hopper forward_wgmma is the faster, but for a few rows whose group it cannot pack") {
  const auto family_of = [](const std::string& text) { return family_for(parse_problem(text), hopper).name(); };
  CHECK(family_of(llama) == "forward_wgmma");
  CHECK(family_of("dtype=f16 heads=16 head_dim=64 seq=2048") == "forward_wgmma");
  CHECK(family_of("dtype=bf16 heads=32/8 head_dim=128 seq=1/8192") == "forward_wgmma");
  CHECK(family_of("dtype=bf16 heads=28/4 head_dim=128 seq=1/8192") == "forward_mma");  // 7 heads are no part of 64 rows
  CHECK(family_of("dtype=bf16 heads=2048/1 head_dim=64 seq=64") == "forward_wgmma");   // the other refuses
}

TEST_CASE("a Config goes to the family whose choices it names") {
  const auto family_of = [](const std::string& problem, const std::string& config) {
    return family_for(parse_problem(problem), hopper, parse_config(config)).name();
  };
  CHECK(family_of(llama, "tile_m=64 tile_n=64 warps=4x1 stages=2 | splits=1 order=0") == "forward_mma");
  CHECK(family_of(llama, "tile_m=64 pack=no tile_n=64 stages_k=2 stages_v=2 | splits=1 order=0") == "forward_wgmma");
  const std::string decode = "dtype=bf16 heads=28/4 head_dim=128 seq=1/8192";
  CHECK(family_of(decode, "stages_k=2") == "forward_wgmma");
  // Of names that say nothing, the family that would serve without a Config.
  CHECK(family_of(llama, "tile_m=64 tile_n=64") == "forward_wgmma");
  CHECK(family_of(decode, "tile=3") == "forward_mma");
}

TEST_CASE("predicted issue slots are those counted in compiled loops") {
  // Counted with nvcc 13.0 and tools/gpu/sass_report, without a mask.
  const auto predicted = [](const std::string& problem, const WgmmaShape& shape) {
    return issue_slots_a_score(shape, parse_problem(problem));
  };
  const WgmmaShape square{.tile_m = 128, .tile_n = 128, .stages_k = 2, .stages_v = 2, .overlap = true};
  CHECK(predicted("dtype=bf16 heads=1 head_dim=128 seq=4096", square) == doctest::Approx(6.86).epsilon(0.03));
  WgmmaShape turns = square;
  turns.take_turns = true;
  CHECK(predicted("dtype=bf16 heads=1 head_dim=128 seq=4096", turns) == doctest::Approx(7.02).epsilon(0.03));
  WgmmaShape lazy = turns;
  lazy.rescale_lazily = true;
  CHECK(predicted("dtype=bf16 heads=1 head_dim=128 seq=4096", lazy) == doctest::Approx(6.17).epsilon(0.03));
  lazy.tile_n = 176;
  CHECK(predicted("dtype=bf16 heads=1 head_dim=128 seq=4096", lazy) == doctest::Approx(5.90).epsilon(0.03));
  const WgmmaShape deep{
      .tile_m = 128, .tile_n = 80, .stages_k = 2, .stages_v = 1, .overlap = true, .rescale_lazily = true};
  CHECK(predicted("dtype=bf16 heads=1 head_dim=256 seq=4096", deep) == doctest::Approx(8.13).epsilon(0.03));
  const WgmmaShape wide{.tile_m = 64, .tile_n = 192, .stages_k = 1, .stages_v = 2, .overlap = true};
  CHECK(predicted("dtype=f16 heads=1 head_dim=64 seq=4096", wide) == doctest::Approx(5.68).epsilon(0.03));
}

TEST_CASE("the space says what a Config takes of registers, shared memory and issue slots") {
  const Problem p = parse_problem("dtype=bf16 heads=1 head_dim=128 seq=4096");
  const auto resources = [&](const std::string& choices) {
    return family.resources(p, hopper, parse_config(choices + " | splits=1 order=0"));
  };
  // 96 of S, 48 of P, 64 of O and 32 more; Q, two K and two V of 256 bytes a row, barriers and key steps.
  const Resources wide =
      resources("tile_m=128 pack=no tile_n=192 stages_k=2 stages_v=2 overlap=yes turns=yes rescale=lazy store=threads");
  CHECK(wide.registers == 240);
  CHECK(wide.register_budget == 240);
  CHECK(wide.shared_bytes == 256 * (128 + 4 * 192) + 2 * 8 * 5 + 2 * 16);
  CHECK(wide.issue_slots == doctest::Approx(5.79).epsilon(0.03));  // counted
  const Resources tall =
      resources("tile_m=192 pack=no tile_n=80 stages_k=2 stages_v=2 overlap=yes turns=yes rescale=lazy store=threads");
  CHECK(tall.registers == 156);
  CHECK(tall.register_budget == 160);
  CHECK(tall.cost > wide.cost);
}

TEST_CASE("what the generator writes for one Config is what the golden file says") {
  const Config config = parse_config(
      "tile_m=128 pack=no tile_n=128 stages_k=2 stages_v=2 overlap=yes turns=no rescale=late store=threads | splits=1 "
      "order=0");
  const Source source = family.render(parse_problem(llama + " outputs=out,lse"), hopper, config);
  CHECK(without_templates(source.text) == golden("forward_wgmma_128.cu"));
  REQUIRE(source.launches.size() == 2);
  CHECK(to_text(source.launches) + '\n' == golden("forward_wgmma_128.json"));
}

TEST_CASE("every Config's registers fit the block's, and its tiles lie where wgmma can read them") {
  for (const char* text :
       {"dtype=bf16 heads=32/8 head_dim=128 seq=4096 mask=causal()", "dtype=f16 heads=2 head_dim=72/40 seq=100",
        "dtype=bf16 heads=2 head_dim=256 seq=8192", "dtype=bf16 heads=2 head_dim=192/128 seq=512"}) {
    const Problem p = parse_problem(text);
    int points = 0;
    family.space(p, hopper).for_each([&](const Config& config) {
      CAPTURE(to_text(config));
      ++points;
      const WgmmaShape shape = wgmma_shape(config);
      const RegisterSplit split = register_split(shape.consumers());
      const std::int64_t entry = registers_at_entry(shape.consumers());
      CHECK(split.producer % 8 == 0);
      CHECK(split.consumer % 8 == 0);
      CHECK(split.producer >= 24);
      CHECK(split.consumer <= 256);
      // setmaxnreg.dec gives registers up and .inc takes some, never the other way round.
      CHECK(split.producer <= entry);
      CHECK(split.consumer >= (entry + 7) / 8 * 8);
      // What the pool of the block holds, in the units registers are allocated in.
      CHECK(split.producer + shape.consumers() * split.consumer <= (1 + shape.consumers()) * ((entry + 7) / 8 * 8));
      CHECK(128 * (1 + shape.consumers()) * ((entry + 7) / 8 * 8) <= limits_of(hopper).registers_per_sm);
      CHECK(consumer_registers_needed(shape, p) <= split.consumer);

      const BlockLayout layout = block_layout(shape, p);
      CHECK(layout.q_bytes % 1024 == 0);
      CHECK(layout.k_bytes % 1024 == 0);
      CHECK(layout.v_bytes % 1024 == 0);
      CHECK(layout.q_bytes >= shape.tile_m * p.head_dim_qk * 2);
      CHECK(layout.k_offset == layout.q_bytes);
      CHECK(layout.v_offset == layout.k_offset + shape.stages_k * layout.k_bytes);
      CHECK(layout.out_offset == layout.v_offset + shape.stages_v * layout.v_bytes);
      CHECK(layout.out_offset % 1024 == 0);
      CHECK(layout.out_bytes == (shape.store_by_copy ? shape.tile_m * slabs(p.head_dim_v) * 128 : 0));
      CHECK(layout.barriers_offset == layout.out_offset + layout.out_bytes);
      CHECK(layout.bytes <= limits_of(hopper).shared_per_block);
      return true;
    });
    CHECK(points > 0);
  }
}
