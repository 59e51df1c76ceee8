#include "tools/attentune/covering_list.h"

#include <utility>

#include "generator/default_cases.h"

namespace attentune {

std::vector<NamedProblem> covering_list() {
  static constexpr const char* lines[] = {
      // Dtypes and head dims, at and off the steps of a vector.
      "dtype=f32 heads=2 head_dim=64 seq=130",
      "dtype=f16 heads=2 head_dim=64 seq=130",
      "dtype=bf16 heads=2 head_dim=64 seq=130",
      "dtype=f32 heads=1 head_dim=1 seq=33",
      "dtype=f32 heads=1 head_dim=7/5 seq=67 align=1",
      "dtype=bf16 heads=1 head_dim=40 seq=257",
      "dtype=f16 heads=1 head_dim=80/160 seq=65/77",
      "dtype=f32 heads=1 head_dim=256 seq=96",
      "dtype=bf16 heads=4/1 head_dim=576/512 seq=5/300",
      "dtype=bf16 heads=2 head_dim=192/128 seq=70 mask=causal()",
      // Masks, with more and fewer queries than keys.
      "dtype=f32 batch=2 heads=2 head_dim=32 seq=129 mask=causal()",
      "dtype=f32 heads=2 head_dim=32 seq=50/200 mask=causal()",
      "dtype=f32 heads=2 head_dim=32 seq=200/50 mask=causal()",
      "dtype=f32 heads=1 head_dim=64 seq=300 mask=window(31,0)",
      "dtype=f32 heads=1 head_dim=64 seq=300 mask=window(0,17)",
      "dtype=f32 heads=1 head_dim=64 seq=300 mask=sink(4)",
      "dtype=bf16 heads=2/1 head_dim=64 seq=300 mask=causal()&(window(63,0)|sink(4))",
      // Groups, scores, sinks, LSE, scale, decode, nothing at all.
      "dtype=f32 heads=8/2 head_dim=64 seq=1/333",
      "dtype=bf16 batch=3 heads=28/4 head_dim=128 seq=1/129 mask=causal()",
      "dtype=f32 heads=2 head_dim=64 seq=100 score=softcap(30)",
      "dtype=bf16 heads=4/2 head_dim=256 seq=100 mask=causal()&window(63,0) score=softcap(50)",
      "dtype=f32 heads=8/1 head_dim=64 seq=100 mask=causal() sink_logit=yes outputs=out,lse",
      "dtype=f32 batch=2 heads=2 head_dim=64 seq=100/70 mask=causal() outputs=out,lse scale=0.5",
      "dtype=f32 heads=1 head_dim=64 seq=9/0 outputs=out,lse",
      "dtype=f32 heads=1 head_dim=64 seq=0/9",
      // What a row tile may see of its keys, in 16 bits: nothing, one run, two runs, all; several tiles of keys in
      // flight.
      "dtype=bf16 heads=2 head_dim=128 seq=300 mask=causal() outputs=out,lse",
      "dtype=f16 batch=2 heads=2 head_dim=64 seq=200/50 mask=causal() outputs=out,lse",
      "dtype=f16 heads=4/2 head_dim=40/24 seq=150/151 mask=window(20,30) outputs=out,lse sink_logit=yes",
      "dtype=bf16 heads=8/2 head_dim=80/72 seq=65/190 mask=causal()&(window(31,0)|sink(4)) outputs=out,lse",
      "dtype=bf16 heads=2 head_dim=96 seq=300 mask=window(15,0)|sink(4)",
      "dtype=f16 heads=2/1 head_dim=256 seq=70/200 score=softcap(30)",
      "dtype=bf16 heads=8/1 head_dim=64 seq=1/700 mask=window(255,0) outputs=out,lse",
      "dtype=f16 heads=1 head_dim=8 seq=33/97 mask=sink(9)&causal()",
      "dtype=bf16 batch=2 heads=2 head_dim=64 seq=9/0 outputs=out,lse",
      // Head dims off every step, row tiles that see nothing, scales of either sign.
      "dtype=bf16 batch=2 heads=6/2 head_dim=24/40 seq=333/131 mask=causal() outputs=out,lse",
      "dtype=f16 heads=4/2 head_dim=104/88 seq=70/500 outputs=out,lse scale=-0.3",
      "dtype=f16 batch=3 heads=2 head_dim=16/8 seq=1/400 mask=window(200,0)|sink(20) sink_logit=yes outputs=out,lse",
      // All at once, for the default Config of each family of GPU kernels: several items for each block, a row tile
      // that sees nothing, more key tiles than twice the stages, no length or head dim at a step.
      "dtype=f16 batch=2 heads=6/2 head_dim=104/88 seq=801/467 mask=causal()",
      "dtype=bf16 heads=4/2 head_dim=136/120 seq=601/403 mask=causal() outputs=out,lse",
  };
  std::vector<NamedProblem> problems;
  for (const char* line : lines)
    problems.push_back({.name = "", .problem = parse_problem(line)});
  return problems;
}

std::vector<CoveringCase> covering_cases(const Arch& arch, int workers) {
  std::vector<CoveringCase> cases;
  for (NamedProblem& named : covering_list())
    cases.push_back({.named = std::move(named), .config = std::nullopt});
  for (DefaultCase& each : default_cases(arch, workers))
    cases.push_back({.named = std::move(each.named), .config = std::move(each.config)});
  return cases;
}

}  // namespace attentune
