// What a report says of blocks that nothing entered.
#include "tools/attentune/coverage_report.h"

#include <doctest/doctest.h>

#include <memory>
#include <string>
#include <vector>

#include "runtime/kernel.h"
#include "runtime/reference/random_tensors.h"
#include "tests/simulated/simulated.h"

using namespace attentune;

namespace {

const char* const problem_text = "dtype=f32 heads=1 head_dim=4 seq=2";

// One thread; where q begins with a positive number a loop stands behind a branch.
Source branching() {
  Source source{.language = Language::cuda};
  source.text =
      "struct Args { const float* q; const void* k; const void* v; const float* sink; float* out; char rest[" +
      std::to_string(sizeof(AttentionArgs) - 5 * sizeof(void*)) +
      "]; };\n"
      "extern \"C\" __global__ void branch(const __grid_constant__ Args args) {\n"
      "  if (args.q[0] > 0) {\n"
      "    for (int n = 0; n < (int)args.q[1]; ++n)\n"
      "      args.out[n] = args.q[n];\n"
      "  }\n"
      "}\n";
  source.launches = {{.entry = "branch"}};
  return source;
}

void launch(const Kernel& kernel, float first) {
  const Problem problem = parse_problem(problem_text);
  std::vector<float> q{first, 2, 0, 0, 0, 0, 0, 0};
  std::vector<float> k(8), v(8), out(8);
  AttentionTensors tensors = contiguous(problem);
  tensors.q.data = q.data();
  tensors.k.data = k.data();
  tensors.v.data = v.data();
  tensors.out.data = out.data();
  kernel.bind(problem, tensors, nullptr, 0).launch();
}

}  // namespace

TEST_CASE("a report names the branch before blocks that nothing entered, and kernels of one key add up") {
  const auto device = open_or_skip("sim:sm_80");
  if (!device)
    return;
  const Source source = branching();
  const Binary binary = device->compiler().compile(source);
  const auto kernel = Kernel::load(device, parse_problem(problem_text), Config(), binary);
  launch(*kernel, -1);
  CoverageReport report;
  report.add(*kernel, source);
  CHECK(report.unentered() > 1);
  CHECK(report.unentered() < report.blocks());
  const std::vector<CoverageReport::Untaken> untaken = report.untaken();
  REQUIRE(untaken.size() == 1);
  CHECK(untaken.front().entry == "branch");
  CHECK(untaken.front().from == "if (args.q[0] > 0) {");
  CHECK(untaken.front().kernels == 1);

  const auto again = Kernel::load(device, parse_problem(problem_text), Config(), binary);
  launch(*again, 1);
  report.add(*again, source);
  for (const CoverageReport::Untaken& way : report.untaken())
    CHECK(way.from != "if (args.q[0] > 0) {");
}

TEST_CASE("a way nothing took is excused by a row that applies, and a row that excuses nothing shows") {
  const auto device = open_or_skip("sim:sm_80");
  if (!device)
    return;
  const Source source = branching();
  const Problem problem = parse_problem(problem_text);
  const auto kernel = Kernel::load(device, problem, Config(), device->compiler().compile(source));
  launch(*kernel, -1);
  CoverageReport report;
  report.add(*kernel, source);
  const auto never = [](const Problem&, const Config&) { return false; };

  CHECK(UnenterableList({}).unexplained(report, problem, Config()).size() == 1);
  CHECK(UnenterableList({{.entry = "branch", .from = "if (args.q[0]", .reason = "", .applies = never}})
            .unexplained(report, problem, Config())
            .size() == 1);
  CHECK(UnenterableList({{.entry = "another", .from = "if (args.q[0]", .reason = ""}})
            .unexplained(report, problem, Config())
            .size() == 1);
  UnenterableList list(
      {{.entry = "branch", .from = "if (args.q[0]", .reason = ""}, {.entry = "branch", .from = "for", .reason = ""}});
  CHECK(list.unexplained(report, problem, Config()).empty());
  list.add(report, problem, Config());
  CHECK(list.unneeded() == std::vector<std::string>{"for"});
}
