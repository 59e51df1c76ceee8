#include "faulty_family.h"

#include "generator/error.h"
#include "generator/key.h"
#include "runtime/rendering.h"

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
  // The real Config has a launch choice that this family's Configs do not.
  source.launches.front().block = {"1", "1", "1"};
  source.launches.front().entry = "faulty_forward";
  const std::string fault = config.word("fault");
  source.text += "\ndeclare void @llvm.trap()\ndefine void @faulty_forward(ptr %args, i64 %begin, i64 %end) {\n" +
                 body_of(fault) + "}\n";
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
