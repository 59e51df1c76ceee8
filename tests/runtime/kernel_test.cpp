// Kernel: workspace, what bind refuses, and what a launch sees.
#include "runtime/kernel.h"

#include <doctest/doctest.h>

#include <array>
#include <cstdint>
#include <limits>
#include <optional>
#include <string>
#include <vector>

#include "generator/error.h"
#include "generator/expression.h"
#include "tests/runtime/fake_device.h"

using namespace attentune;

namespace {

const char* const line = "dtype=f32 batch=2 heads=4/2 head_dim=8 seq=5/7 mask=window(3,0)";

Config config_with(const std::string& grain) {
  Config config;
  config.add("tile_m", "8", ChoiceKind::compile);
  config.add("grain", grain, ChoiceKind::launch);
  config.add("order", "snake", ChoiceKind::launch);
  config.add("split", "5", ChoiceKind::launch);
  return config;
}

std::shared_ptr<const Kernel> make_kernel(const std::shared_ptr<test::FakeDevice>& device, const Problem& problem) {
  Binary binary = device->compile(Source{});
  LaunchRule rule;
  rule.entry = "attention";
  rule.grid[0] = "batch*heads_kv*ceil_div(len_q*group,8)";
  rule.block[0] = "grain";
  rule.workspace = {{.name = "scratch", .bytes = "head_dim_qk*4*split", .per_worker = true},
                    {.name = "shared", .bytes = "len_kv", .per_worker = false}};
  binary.launches = {rule};
  return Kernel::load(device, problem, config_with("3"), std::move(binary));
}

struct Memory {
  explicit Memory(const Problem& problem)
      : q(static_cast<std::size_t>(elements_q(problem)) + 8),
        k(static_cast<std::size_t>(elements_k(problem)) + 8),
        v(static_cast<std::size_t>(elements_v(problem)) + 8),
        out(static_cast<std::size_t>(elements_out(problem)) + 8),
        tensors(contiguous(problem)) {
    tensors.q.data = q.data();
    tensors.k.data = k.data();
    tensors.v.data = v.data();
    tensors.out.data = out.data();
  }
  std::vector<float> q, k, v, out;
  AttentionTensors tensors;
};

struct Fixture {
  std::shared_ptr<test::FakeDevice> device = std::make_shared<test::FakeDevice>();
  Problem problem = parse_problem(line);
  std::shared_ptr<const Kernel> kernel = make_kernel(device, problem);
  Memory memory{problem};
  alignas(64) std::array<char, 4096> workspace{};

  Binding bind(const Problem& of) { return kernel->bind(of, memory.tensors, workspace.data(), workspace.size()); }
  std::string refusal_field() {
    try {
      static_cast<void>(bind(problem));
    } catch (const RefusalError& error) {
      CHECK(!error.refusal().remedy.empty());
      return error.refusal().field;
    }
    return "";
  }
};

}  // namespace

TEST_CASE_FIXTURE(Fixture, "kernel: workspace follows the problem's sizes and the workers") {
  // Two workers of 8*4*5 = 160 bytes, each a multiple of 64, then len_kv bytes.
  CHECK(kernel->workspace_bytes(problem) == 2 * 192 + 64);
  Problem longer = problem;
  longer.len_kv = 65;
  CHECK(kernel->workspace_bytes(longer) == 2 * 192 + 128);
  CHECK_THROWS_AS((void)kernel->workspace_bytes(parse_problem("dtype=f32 heads=4/2 head_dim=16 seq=5")), RefusalError);
}

TEST_CASE_FIXTURE(Fixture, "kernel: a launch sees the arguments of the call") {
  int seen = 0;
  device->on_launch = [&](const AttentunePreparedCall& call) {
    ++seen;
    CHECK(call.launch_count == 1);
    CHECK(std::string(call.launches[0].entry) == "attention");
    CHECK(call.launches[0].grid[0] == 2 * 2 * 2);
    CHECK(call.launches[0].block[0] == 3);
    CHECK(call.args.q == memory.q.data());
    CHECK(call.args.q_stride[0] == 5 * 4 * 8);
    CHECK(call.args.q_stride[1] == 4 * 8);
    CHECK(call.args.q_stride[2] == 8);
    CHECK(call.args.batch == 2);
    CHECK(call.args.len_kv == 7);
    CHECK(call.args.mask_arguments[0] == 3);
    CHECK(call.args.mask_arguments[1] == 0);
    CHECK(call.args.launch_choices[0] == 3);
    CHECK(call.args.launch_choices[1] == 5);  // integer choices only
    CHECK(call.args.scale == doctest::Approx(0.35355339));
  };
  const Binding binding = bind(problem);
  binding.launch();
  binding.launch();
  CHECK(seen == 2);
  Binding{}.launch();
  CHECK(seen == 2);
}

TEST_CASE_FIXTURE(Fixture, "kernel: other launch choices share the code") {
  const std::shared_ptr<const Kernel> other = kernel->with_config(config_with("7"));
  CHECK(&other->module() == &kernel->module());
  device->on_launch = [](const AttentunePreparedCall& call) { CHECK(call.launches[0].block[0] == 7); };
  other->bind(problem, memory.tensors, workspace.data(), workspace.size()).launch();
  Config other_code;
  other_code.add("tile_m", "16", ChoiceKind::compile);
  CHECK_THROWS_AS((void)kernel->with_config(other_code), Error);
}

TEST_CASE_FIXTURE(Fixture, "kernel: bind refuses null, misaligned and mistyped tensors by name") {
  CHECK(refusal_field().empty());
  SUBCASE("null") {
    memory.tensors.k.data = nullptr;
    CHECK(refusal_field() == "k");
  }
  SUBCASE("misaligned") {
    memory.tensors.v.data = memory.v.data() + 1;
    CHECK(refusal_field() == "v");
  }
  SUBCASE("dtype") {
    memory.tensors.out.dtype = Dtype::bf16;
    CHECK(refusal_field() == "out");
  }
  SUBCASE("a stride that breaks the alignment of rows") {
    memory.tensors.q.stride[1] = 33;
    CHECK(refusal_field() == "q.stride_row");
  }
  SUBCASE("results over one another") {
    memory.tensors.out.stride[2] = 0;
    CHECK(refusal_field() == "out.stride_head");
    memory.tensors.out.stride[2] = 4;
    CHECK(refusal_field() == "out.stride_head");
    memory.tensors.out.stride[2] = 8;
    memory.tensors.out.stride[1] = -3 * 8;
    CHECK(refusal_field() == "out.stride_row");
  }
  SUBCASE("results where others are read") {
    memory.tensors.out.data = memory.tensors.k.data;
    CHECK(refusal_field() == "out");
  }
  SUBCASE("an alignment that would do is named") {
    memory.tensors.q.stride[1] = 33;
    try {
      static_cast<void>(bind(problem));
    } catch (const RefusalError& error) {
      CHECK(error.refusal().remedy == "use other strides or add align=4 to the problem");
    }
  }
  SUBCASE("beyond 64 bits") {
    memory.tensors.q.stride[0] = std::numeric_limits<std::int64_t>::max() / 4 - 3;
    CHECK(refusal_field() == "q");
    memory.tensors.q.stride[0] = std::numeric_limits<std::int64_t>::min();
    CHECK(refusal_field() == "q.stride_batch");
  }
  SUBCASE("LSE that nobody asked for") {
    std::array<float, 64> lse{};
    memory.tensors.lse.data = lse.data();
    CHECK(refusal_field() == "lse");
  }
  SUBCASE("sink_logit that nobody asked for") {
    const std::array<float, 4> sink{};
    memory.tensors.sink_logit = sink.data();
    CHECK(refusal_field() == "sink_logit");
  }
}

TEST_CASE_FIXTURE(Fixture, "kernel: inputs may be broadcast or reversed") {
  memory.tensors.k.stride[0] = 0;
  memory.tensors.v.data = memory.v.data() + 6 * 2 * 8;
  memory.tensors.v.stride[1] = -2 * 8;
  memory.tensors.v.stride[0] = 0;
  CHECK(refusal_field().empty());
}

TEST_CASE_FIXTURE(Fixture, "kernel: results may stand apart in any order") {
  std::vector<float> apart(64 * 1024);
  memory.tensors.out.data = apart.data() + 32 * 1024;
  memory.tensors.out.stride = {-8, 16, 5 * 16};  // two batches beside each other in a row of 16
  CHECK(refusal_field().empty());
}

TEST_CASE_FIXTURE(Fixture, "kernel: bind refuses a small, missing or misaligned workspace") {
  CHECK_THROWS_AS((void)kernel->bind(problem, memory.tensors, workspace.data(), 100), RefusalError);
  CHECK_THROWS_AS((void)kernel->bind(problem, memory.tensors, nullptr, 4096), RefusalError);
  CHECK_THROWS_AS((void)kernel->bind(problem, memory.tensors, workspace.data() + 8, 4000), RefusalError);
}

TEST_CASE_FIXTURE(Fixture, "kernel: bind refuses problems of another class and impossible sizes") {
  Problem other = problem;
  other.heads_q = 6;
  CHECK_THROWS_AS((void)bind(other), RefusalError);
  other = problem;
  other.mask = parse_mask("causal()");
  CHECK_THROWS_AS((void)bind(other), RefusalError);
  other = problem;
  other.lse = true;
  CHECK_THROWS_AS((void)bind(other), RefusalError);
  other = problem;
  other.len_q = -1;
  CHECK_THROWS_AS((void)bind(other), RefusalError);
  other = problem;
  other.mask.arguments[0] = -3;
  CHECK_THROWS_AS((void)bind(other), RefusalError);
  other = problem;
  other.heads_kv = 0;
  CHECK_THROWS_AS((void)bind(other), RefusalError);
  other = problem;
  other.batch = 0;
  CHECK_THROWS_AS((void)bind(other), RefusalError);
}

TEST_CASE_FIXTURE(Fixture, "kernel: without rows nothing is launched, without keys the kernel still writes zeros") {
  int launches = -1;
  std::int64_t len_kv = -1;
  device->on_launch = [&](const AttentunePreparedCall& call) {
    launches = call.launch_count;
    len_kv = call.args.len_kv;
  };
  Problem empty = problem;
  empty.len_q = 0;
  memory.tensors.q.data = nullptr;
  memory.tensors.out.data = nullptr;
  bind(empty).launch();
  CHECK(launches == 0);

  empty = problem;
  empty.len_kv = 0;
  memory = Memory(problem);
  memory.tensors.k.data = nullptr;
  memory.tensors.v.data = nullptr;
  bind(empty).launch();
  CHECK(launches == 1);
  CHECK(len_kv == 0);
}

TEST_CASE("kernel: an object that does not load is a device failure") {
  const auto device = std::make_shared<test::FakeDevice>();
  Binary binary;
  binary.object = {1, 2, 3};
  try {
    static_cast<void>(Kernel::load(device, parse_problem(line), config_with("1"), std::move(binary)));
    FAIL("loaded");
  } catch (const Error& error) {
    CHECK(error.status() == Status::device_failed);
  }
}

TEST_CASE("kernel: a rule that cannot be evaluated is an error, not a launch") {
  const auto device = std::make_shared<test::FakeDevice>();
  Binary binary = device->compile(Source{});
  LaunchRule rule;
  rule.entry = "attention";
  rule.grid[0] = "len_q*unknown";
  binary.launches = {rule};
  const Problem problem = parse_problem(line);
  const auto kernel = Kernel::load(device, problem, config_with("1"), std::move(binary));
  CHECK_THROWS_AS((void)kernel->workspace_bytes(problem), Error);
}
