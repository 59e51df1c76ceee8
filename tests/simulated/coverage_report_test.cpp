// What a report says of blocks that nothing entered.
#include "tools/attentune/coverage_report.h"

#include <doctest/doctest.h>

#include <cstddef>
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

std::shared_ptr<const Kernel> loaded(const std::shared_ptr<const simulator::SimulatorDevice>& device,
                                     const Source& source) {
  return Kernel::load(device, parse_problem(problem_text), Config(), device->compiler().compile(source));
}

}  // namespace

TEST_CASE("a report names the branch before blocks that nothing entered, and kernels of one key add up") {
  const auto device = open_or_skip("sim:sm_80");
  if (!device)
    return;
  const Source source = branching();
  const auto launched = [&](const float first) {
    auto kernel = loaded(device, source);
    launch(*kernel, first);
    return kernel;
  };
  CoverageReport report;
  report.add(*launched(-1), source);
  const std::size_t blocks = report.blocks();
  const std::size_t unentered = report.unentered();
  CHECK(unentered > 1);
  CHECK(unentered < blocks);
  const std::vector<CoverageReport::Untaken> untaken = report.untaken();
  REQUIRE(untaken.size() == 1);
  CHECK(untaken.front().entry == "branch");
  CHECK(untaken.front().from == "if (args.q[0] > 0) {");
  CHECK(untaken.front().kernels == 1);

  report.add(*launched(1), source);
  CHECK(report.blocks() == blocks);
  const std::size_t rest = report.unentered();
  CHECK(rest < unentered);
  for (const CoverageReport::Untaken& way : report.untaken())
    CHECK(way.from != "if (args.q[0] > 0) {");

  report.add(*launched(-1), source);  // which enters nothing that is new
  CHECK(report.blocks() == blocks);
  CHECK(report.unentered() == rest);
}

TEST_CASE("a report names the entries that were never launched") {
  const auto device = open_or_skip("sim:sm_80");
  if (!device)
    return;
  const Source source = branching();
  const Problem problem = parse_problem(problem_text);
  const auto kernel = loaded(device, source);
  CoverageReport report;
  report.add(*kernel, source);
  CHECK(report.never_launched() == std::vector<std::string>{"branch"});
  CHECK(report.text().find("entries never launched: branch\n") != std::string::npos);
  CHECK(UnenterableList({}).unexplained(report, problem, Config()).size() == 1);

  launch(*kernel, 1);
  report.add(*kernel, source);
  CHECK(report.never_launched().empty());
  CHECK(report.blocks() > 0);
  CHECK(report.text().find("never launched") == std::string::npos);
}

TEST_CASE("a way nothing took is excused by a row that applies, and a row that excuses nothing shows") {
  const auto device = open_or_skip("sim:sm_80");
  if (!device)
    return;
  const Source source = branching();
  const Problem problem = parse_problem(problem_text);
  const auto kernel = loaded(device, source);
  launch(*kernel, -1);
  CoverageReport report;
  report.add(*kernel, source);
  const auto never = [](const Problem&, const Config&) { return false; };

  // It leads to the loop's first test; what stands in the loop lies behind that.
  const Unenterable excuse{.entry = "branch", .from = "if (args.q[0]", .to = "for (int n", .reason = "the sign"};
  const auto excuses = [&](const Unenterable& row) {
    return UnenterableList({row}).unexplained(report, problem, Config()).empty();
  };
  Unenterable inapplicable = excuse;
  inapplicable.applies = never;
  Unenterable of_another_entry = excuse;
  of_another_entry.entry = "another";
  Unenterable from_elsewhere = excuse;
  from_elsewhere.from = "for (int n";
  Unenterable to_elsewhere = excuse;
  to_elsewhere.to = "args.out[n]";
  CHECK(excuses(excuse));
  CHECK_FALSE(excuses(inapplicable));
  CHECK_FALSE(excuses(of_another_entry));
  CHECK_FALSE(excuses(from_elsewhere));
  CHECK_FALSE(excuses(to_elsewhere));

  UnenterableList list({excuse, to_elsewhere});
  list.add(report, problem, Config());
  CHECK(list.unneeded() == std::vector<std::string>{"from `if (args.q[0]` to `args.out[n]` in branch: the sign"});
  CHECK(list.summary().find("lie behind 1 ways of the list") != std::string::npos);
  UnenterableList empty({});
  empty.add(report, problem, Config());
  CHECK(empty.summary().find("lie behind") == std::string::npos);
}
