// The evaluator of launch expressions and the layout of a call's workspace (templates/launch.c).
#include "templates/launch.h"

#include <doctest/doctest.h>

#include <array>
#include <cstdint>
#include <limits>
#include <optional>
#include <random>
#include <string>
#include <vector>

namespace {

constexpr std::array scalars{AttentuneScalar{"len_q", 4096}, AttentuneScalar{"heads_q", 32}, AttentuneScalar{"zero", 0},
                             AttentuneScalar{"workers", 3},
                             AttentuneScalar{"big", std::numeric_limits<std::int64_t>::max()}};

int evaluate(const std::string& text, std::int64_t& value) {
  return attentune_evaluate(text.c_str(), scalars.data(), static_cast<int>(scalars.size()), &value);
}

std::optional<std::int64_t> value_of(const std::string& text) {
  std::int64_t value = 0;
  return evaluate(text, value) == 0 ? std::optional(value) : std::nullopt;
}

// The error's position, 1-based; the value must stay as it was.
int error_of(const std::string& text) {
  std::int64_t value = 77;
  const int error = evaluate(text, value);
  CHECK_MESSAGE(value == (error == 0 ? value : 77), text);
  return error;
}

}  // namespace

TEST_CASE("launch expressions") {
  CHECK(value_of("0") == 0);
  CHECK(value_of(" 12 ") == 12);
  CHECK(value_of("1+2*3") == 7);
  CHECK(value_of("(1+2)*3") == 9);
  CHECK(value_of("10-3-2") == 5);
  CHECK(value_of("100/7/2") == 7);
  CHECK(value_of("len_q*heads_q") == 4096 * 32);
  CHECK(value_of("ceil_div(len_q, 96)") == 43);
  CHECK(value_of("ceil_div(0, 96)") == 0);
  CHECK(value_of("align_up(97,64)") == 128);
  CHECK(value_of("align_up(128,64)") == 128);
  CHECK(value_of("min(3, max(1, 2))") == 2);
  CHECK(value_of("min (3,4)") == 3);
  CHECK(value_of("9223372036854775807") == std::numeric_limits<std::int64_t>::max());
}

TEST_CASE("division rounds down, ceil_div rounds up, on either side of zero") {
  CHECK(value_of("(0-7)/2") == -4);
  CHECK(value_of("7/(0-2)") == -4);
  CHECK(value_of("(0-7)/(0-2)") == 3);
  CHECK(value_of("(0-8)/2") == -4);
  CHECK(value_of("ceil_div(0-7,2)") == -3);
  CHECK(value_of("ceil_div(7,2)") == 4);
  CHECK(value_of("align_up(0-7,4)") == -4);
}

TEST_CASE("every error has its position") {
  CHECK(error_of("") == 1);
  CHECK(error_of("   ") == 4);
  CHECK(error_of("1+") == 3);
  CHECK(error_of("1 2") == 3);
  CHECK(error_of("(1") == 3);
  CHECK(error_of("1)") == 2);
  CHECK(error_of("-1") == 1);
  CHECK(error_of("1++2") == 3);
  CHECK(error_of("nothing") == 1);
  CHECK(error_of("1+len") == 3);
  CHECK(error_of("len_q2") == 1);
  CHECK(error_of("12ab") == 3);
  CHECK(error_of("min(1)") == 6);
  CHECK(error_of("min(1,2,3)") == 8);
  CHECK(error_of("sqrt(2)") == 1);
  CHECK(error_of("min") == 1);
  CHECK(error_of("1/0") == 2);
  CHECK(error_of("1/zero") == 2);
  CHECK(error_of("1+ceil_div(1,0)") == 3);
  CHECK(error_of("align_up(1,0)") == 1);
  CHECK(error_of("align_up(1,0-4)") == 1);
  CHECK(error_of("9223372036854775808") == 1);
  CHECK(error_of("99999999999999999999999") == 1);
  CHECK(error_of("big+1") == 4);
  CHECK(error_of("(0-big)-2") == 8);
  CHECK(error_of("big*2") == 4);
  CHECK(error_of("((0-big)-1)/(0-1)") == 12);
  CHECK(error_of("align_up(big,64)") == 1);
  CHECK(error_of("1;2") == 2);
  CHECK(error_of("\xff") == 1);
  CHECK(error_of("1\r") == 2);
}

TEST_CASE("missing text, value or scalars are errors, not crashes") {
  std::int64_t value = 0;
  CHECK(attentune_evaluate(nullptr, nullptr, 0, &value) == 1);
  CHECK(attentune_evaluate("1", nullptr, 0, nullptr) == 1);
  CHECK(attentune_evaluate("len_q", nullptr, 3, &value) == 1);
  constexpr AttentuneScalar nameless{nullptr, 1};
  CHECK(attentune_evaluate("len_q", &nameless, 1, &value) == 1);
}

TEST_CASE("depth and length are bounded") {
  CHECK(value_of(std::string(31, '(') + "1" + std::string(31, ')')) == 1);
  CHECK(error_of(std::string(32, '(') + "1" + std::string(32, ')')) == 33);
  CHECK(error_of(std::string(800, '(')) == 33);
  std::string calls;
  for (int n = 0; n < 100; ++n) {
    calls += "min(1,";
  }
  CHECK(error_of(calls) > 0);
  CHECK(value_of("1" + std::string(ATTENTUNE_MAX_EXPRESSION - 1, ' ')) == 1);
  CHECK(error_of("1" + std::string(ATTENTUNE_MAX_EXPRESSION, ' ')) == ATTENTUNE_MAX_EXPRESSION + 1);
  CHECK(error_of(std::string(1'000'000, '1')) == ATTENTUNE_MAX_EXPRESSION + 1);
}

TEST_CASE("random texts give a value or a position within them") {
  std::mt19937 random(20240917);
  const std::vector<std::string> pieces{"1", "len_q", "zero", "big",       "+",         "-", "*", "/", "(",
                                        ")", ",",     "min(", "ceil_div(", "align_up(", " ", "9", "x", "\n"};
  for (int n = 0; n < 50'000; ++n) {
    std::string text;
    const std::size_t count = random() % 24;
    for (std::size_t piece = 0; piece < count; ++piece) {
      text += pieces[random() % pieces.size()];
    }
    const int error = error_of(text);
    REQUIRE(error >= 0);
    REQUIRE(error <= static_cast<int>(text.size()) + 1);
  }
}

namespace {

AttentuneLaunchText simple_rule() {
  AttentuneLaunchText rule{};
  rule.entry = "main";
  for (int axis = 0; axis < 3; ++axis) {
    rule.grid[axis] = rule.block[axis] = rule.cluster[axis] = "1";
  }
  rule.shared_bytes = "0";
  return rule;
}

int prepare(const std::vector<AttentuneLaunchText>& rules, AttentunePreparedCall& call,
            const std::int64_t alignment = 64) {
  return attentune_prepare(rules.data(), static_cast<int>(rules.size()), scalars.data(),
                           static_cast<int>(scalars.size()), alignment, &call);
}

}  // namespace

TEST_CASE("the workspace of several launches does not overlap") {
  constexpr std::array first_slices{AttentuneSliceText{"a", "100", 0}, AttentuneSliceText{"b", "65", 1}};
  constexpr std::array second_slices{AttentuneSliceText{"c", "1", 0}};
  AttentuneLaunchText first = simple_rule();
  first.grid[0] = "ceil_div(len_q,96)*heads_q";
  first.block[0] = "2";
  first.slices = first_slices.data();
  first.slice_count = 2;
  AttentuneLaunchText second = simple_rule();
  second.entry = "combine";
  second.slices = second_slices.data();
  second.slice_count = 1;
  second.depends_on_previous = 1;

  AttentunePreparedCall call{};
  REQUIRE(prepare({first, second}, call) == 0);
  CHECK(call.launch_count == 2);
  CHECK(call.launches[0].grid[0] == 43 * 32);
  CHECK(call.launches[0].block[0] == 2);
  CHECK(call.launches[0].slice_offset[0] == 0);
  CHECK(call.launches[0].slice_stride[0] == 0);
  CHECK(call.launches[0].slice_offset[1] == 128);
  CHECK(call.launches[0].slice_stride[1] == 128);
  CHECK(call.launches[1].slice_offset[0] == 128 + 3 * 128);
  CHECK(call.launches[1].depends_on_previous == 1);
  CHECK(call.workspace_bytes == 128 + 3 * 128 + 64);

  std::vector<char> memory(static_cast<std::size_t>(call.workspace_bytes));
  call.workspace = memory.data();
  call.args.len_q = 4096;
  AttentionArgs args;
  attentune_launch_args(&call, 0, 2, &args);
  CHECK(args.len_q == 4096);
  CHECK(args.workspace[0] == memory.data());
  CHECK(args.workspace[1] == memory.data() + 128 + 2 * 128);
  CHECK(args.workspace[2] == nullptr);
  attentune_launch_args(&call, 1, 2, &args);
  CHECK(args.workspace[0] == memory.data() + 512);
  call.workspace = nullptr;
  attentune_launch_args(&call, 1, 2, &args);
  CHECK(args.workspace[0] == nullptr);
}

TEST_CASE("slices of one name are one piece of memory") {
  const auto with = [](const std::vector<AttentuneSliceText>& slices) {
    AttentuneLaunchText rule = simple_rule();
    rule.slices = slices.data();
    rule.slice_count = static_cast<int>(slices.size());
    return rule;
  };
  const std::vector<AttentuneSliceText> first{{"own", "100", 0}, {"partials", "len_q*4", 0}, {"state", "65", 1}};
  const std::vector<AttentuneSliceText> second{{"other", "10", 0}, {"state", "65", 1}, {"partials", "len_q*4", 0}};
  AttentunePreparedCall call{};
  REQUIRE(prepare({with(first), with(second)}, call) == 0);
  const AttentunePreparedLaunch* const launches = call.launches;
  CHECK(launches[0].slice_offset[1] == 128);
  CHECK(launches[1].slice_offset[2] == 128);
  CHECK(launches[1].slice_stride[2] == 0);
  CHECK(launches[0].slice_offset[2] == 128 + 4096 * 4);
  CHECK(launches[1].slice_offset[1] == launches[0].slice_offset[2]);
  CHECK(launches[1].slice_stride[1] == 128);
  // What has a name of its own lies apart from all the rest.
  CHECK(launches[1].slice_offset[0] == 128 + 4096 * 4 + 3 * 128);
  CHECK(call.workspace_bytes == 128 + 4096 * 4 + 3 * 128 + 64);

  // A third launch finds what the second began.
  const std::vector<AttentuneSliceText> third{{"other", "10", 0}};
  REQUIRE(prepare({with(first), with(second), with(third)}, call) == 0);
  CHECK(launches[2].slice_offset[0] == launches[1].slice_offset[0]);

  const std::vector<AttentuneSliceText> larger{{"partials", "len_q*8", 0}};
  CHECK(prepare({with(first), with(larger)}, call) == 1001);
  CHECK(call.launch_count == 0);
  const std::vector<AttentuneSliceText> spelled_otherwise{{"partials", "4*len_q", 0}};
  CHECK(prepare({with(first), with(spelled_otherwise)}, call) == 1001);
  const std::vector<AttentuneSliceText> of_each_worker{{"partials", "len_q*4", 1}};
  CHECK(prepare({with(first), with(of_each_worker)}, call) == 1001);
  const std::vector<AttentuneSliceText> twice{{"a", "1", 0}, {"a", "1", 0}};
  CHECK(prepare({with(twice)}, call) == 1);
  // Without a name a slice is nobody else's.
  const std::vector<AttentuneSliceText> nameless{{nullptr, "1", 0}, {nullptr, "1", 0}};
  REQUIRE(prepare({with(nameless), with(nameless)}, call) == 0);
  CHECK(call.workspace_bytes == 4 * 64);
}

TEST_CASE("rules that cannot be prepared are named") {
  AttentunePreparedCall call{};
  AttentuneLaunchText bad = simple_rule();
  bad.grid[1] = "1+oops";
  CHECK(prepare({simple_rule(), bad}, call) == 1000 + 3 + 1);
  CHECK(call.launch_count == 0);

  AttentuneLaunchText negative = simple_rule();
  negative.grid[0] = "0-1";
  CHECK(prepare({negative}, call) == 1);
  AttentuneLaunchText no_block = simple_rule();
  no_block.block[0] = "0";
  CHECK(prepare({no_block}, call) == 1);
  AttentuneLaunchText no_work = simple_rule();
  no_work.grid[0] = "0";
  CHECK(prepare({no_work}, call) == 0);
  AttentuneLaunchText missing = simple_rule();
  missing.shared_bytes = nullptr;
  CHECK(prepare({missing}, call) == 2);

  constexpr AttentuneSliceText huge{"scratch", "big", 1};
  AttentuneLaunchText too_large = simple_rule();
  too_large.slices = &huge;
  too_large.slice_count = 1;
  CHECK(prepare({too_large}, call) == 1);
  too_large.slice_count = ATTENTUNE_WORKSPACE_SLICES + 1;
  CHECK(prepare({too_large}, call) == 1);
  too_large.slice_count = -1;
  CHECK(prepare({too_large}, call) == 1);

  CHECK(prepare({simple_rule()}, call, 48) == 1);
  CHECK(prepare({simple_rule()}, call, 0) == 1);
  CHECK(prepare(std::vector<AttentuneLaunchText>(ATTENTUNE_MAX_LAUNCHES + 1, simple_rule()), call) == 1);
  CHECK(prepare({}, call) == 0);
  CHECK(call.workspace_bytes == 0);

  // Slices per worker need the scalar.
  constexpr AttentuneSliceText per_worker{"scratch", "64", 1};
  AttentuneLaunchText rule = simple_rule();
  rule.slices = &per_worker;
  rule.slice_count = 1;
  CHECK(attentune_prepare(&rule, 1, nullptr, 0, 64, &call) == 2);
}
