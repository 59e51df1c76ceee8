// Classes whose errors come near the bound, judged as a tune judges them.
#include <doctest/doctest.h>

#include <memory>
#include <string>

#include "generator/forward_host.h"
#include "runtime/host_device.h"
#include "runtime/reference/runner.h"
#include "runtime/reference/verify.h"
#include "runtime/rendering.h"

using namespace attentune;

TEST_CASE("long sums, large sink logits and capped scores stay within the bound") {
  const auto device = std::make_shared<HostDevice>(2);
  const ForwardHost family;
  const auto executor = make_pool(2);
  Verifier verifier(*executor);
  const auto check = [&](const std::string& text, const Config& config) {
    CAPTURE(text);
    CAPTURE(to_text(config));
    const Problem problem = parse_problem(text);
    const Rendering made = render(family, problem, config, device->arch(), device->compiler());
    const auto kernel = Kernel::load(device, problem, config, device->compiler().compile(made.source));
    const Verdict verdict = verifier.verify_class(problem, runner(kernel));
    CAPTURE(verdict.sentence);
    CHECK(verdict.passed);
  };
  // By FMA, one running sum of 256 and more products: its LSE is off at large magnitudes.
  Arch without_tiles = device->arch();
  std::erase_if(without_tiles.features, [](const std::string& feature) { return feature.starts_with("amx"); });
  for (const char* const text : {
           "dtype=bf16 heads=8/1 head_dim=256 seq=100 mask=causal() outputs=out,lse",
           "dtype=f16 heads=4/1 head_dim=575/33 seq=100 outputs=out,lse",
       })
    check(text, family.default_config(parse_problem(text), without_tiles));
  for (const char* const text : {
           // LSE is the sink's logit there, some hundreds.
           "dtype=bf16 heads=8/1 head_dim=64 seq=64 mask=causal() score=softcap(30) outputs=out,lse sink_logit=yes",
           // Scores of some thousands pass a cap of slope 1 near 0.
           "dtype=bf16 heads=13/1 head_dim=320 seq=64 mask=sink(4) score=softcap(30) outputs=out,lse",
           "dtype=f32 heads=71/1 head_dim=96 seq=64 mask=window(31,0) score=softcap(0.5)",
       })
    check(text, family.default_config(parse_problem(text), device->arch()));
}
