#include "faulty_family.h"

#include <cstddef>
#include <cstdint>
#include <string>

#include "generator/error.h"
#include "generator/key.h"
#include "runtime/rendering.h"
#include "templates/attention_args.h"

namespace attentune::test {

namespace {

// AttentionArgs::out.
constexpr std::string_view out_offset = "32";

std::string body_of(const std::string& fault) {
  const std::string real = "  call void @attentune_forward(ptr %args, i64 %begin, i64 %end)\n";
  const std::string out =
      "  %slot = getelementptr i8, ptr %args, i64 " + std::string(out_offset) + "\n  %out = load ptr, ptr %slot\n";
  if (fault == "slow") {
    return "  br label %again\nagain:\n  %n = phi i32 [ 0, %0 ], [ %next, %again ]\n" + real +
           "  %next = add i32 %n, 1\n  %done = icmp eq i32 %next, 30\n"
           "  br i1 %done, label %end_of_it, label %again\nend_of_it:\n  ret void\n";
  }
  if (fault == "null") {
    return "  store volatile i32 0, ptr inttoptr (i64 8 to ptr)\n  ret void\n";
  }
  if (fault == "hang") {
    return "  %state = alloca i32\n  br label %again\nagain:\n  %x = load volatile i32, ptr %state\n  br label "
           "%again\n";
  }
  if (fault == "trap") {
    return "  call void @llvm.trap()\n  unreachable\n";
  }
  if (fault == "out_of_bounds") {
    return real + out + "  %before = getelementptr i8, ptr %out, i64 -8\n  store i64 0, ptr %before\n  ret void\n";
  }
  if (fault == "wrong") {
    return real + out + "  store float 42.0, ptr %out\n  ret void\n";
  }
  return fault == "none" ? real + "  ret void\n" : "  ret void\n";
}

// The second launch choice of forward_host, its split count, set to 1 in the arguments.
std::string one_split() {
  return "  %split = getelementptr i8, ptr %args, i64 " +
         std::to_string(offsetof(AttentionArgs, launch_choices) + sizeof(std::int64_t)) +
         "\n  store i64 1, ptr %split\n";
}

std::string without_split(std::string expression) {
  constexpr std::string_view name = "split";
  for (std::size_t at = 0; (at = expression.find(name)) != std::string::npos;)
    expression.replace(at, name.size(), "1");
  return expression;
}

}  // namespace

std::optional<Refusal> FaultyFamily::refusal(const Problem& problem, const Arch& arch) const {
  return find_family("forward_host")->refusal(problem, arch);
}

ConfigSpace FaultyFamily::space(const Problem& /*problem*/, const Arch& /*arch*/) const {
  ConfigSpace space;
  space.add({.name = "fault",
             .kind = ChoiceKind::compile,
             .values = {"slow", "none", "null", "hang", "trap", "out_of_bounds", "wrong", "idle", "uncompilable"},
             .meaning = "what goes wrong"});
  return space;
}

Config FaultyFamily::default_config(const Problem& /*problem*/, const Arch& /*arch*/) const {
  return parse_config("fault=slow");
}

// All alike: the order is the seed's.
Resources FaultyFamily::resources(const Problem& /*problem*/, const Arch& /*arch*/, const Config& /*config*/) const {
  return {.workspace_bytes = 0, .shared_bytes = 0, .registers = 0, .cost = 1};
}

Source FaultyFamily::render(const Problem& problem, const Arch& arch, const Config& config) const {
  const KernelFamily& real = *find_family("forward_host");
  Source source = real.render(problem, arch, real.default_config(problem, arch));
  // The real Config has launch choices that this family's Configs do not: tasks one by one, keys in one part.
  source.launches.resize(1);
  LaunchRule& rule = source.launches.front();
  rule.block = {"1", "1", "1"};
  rule.grid[0] = without_split(rule.grid[0]);
  for (WorkspaceSlice& slice : rule.workspace)
    slice.bytes = without_split(slice.bytes);
  rule.entry = "faulty_forward";
  const std::string fault = config.word("fault");
  source.text += "\ndeclare void @llvm.trap()\ndefine void @faulty_forward(ptr %args, i64 %begin, i64 %end) {\n" +
                 one_split() + body_of(fault) + "}\n";
  if (fault == "uncompilable") {
    source.text += "this is no IR\n";
  }
  return source;
}

Candidate faulty_candidate(const Device& device, const std::string_view fault) {
  const FaultyFamily family;
  const Config config = parse_config("fault=" + std::string(fault));
  const Rendering rendering = render(family, parse_problem(small_problem), config, device.arch(), device.compiler());
  Candidate candidate{.config = to_text(config), .binary = device.compiler().compile(rendering.source)};
  candidate.binary.key = rendering.key;
  candidate.binary.family = family.name();
  candidate.binary.launches = rendering.source.launches;
  return candidate;
}

}  // namespace attentune::test
