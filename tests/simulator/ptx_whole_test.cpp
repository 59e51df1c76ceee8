// Whole texts: what a compiler emitted, what damage made of it, and very long ones.
#include <doctest/doctest.h>

#include <algorithm>
#include <cstddef>
#include <ctime>
#include <fstream>
#include <iterator>
#include <random>
#include <string>
#include <string_view>
#include <vector>

#include "runtime/simulator/ptx/control_flow.h"
#include "runtime/simulator/ptx/module.h"
#include "tests/simulator/nvrtc.h"
#include "tests/simulator/ptx_helpers.h"
#include "tests/simulator/ptx_text.h"

namespace {

using attentune::ptx::control_flow;
using attentune::ptx::ControlFlow;
using attentune::ptx::Entry;
using attentune::ptx::Instruction;
using attentune::ptx::Module;
using attentune::ptx::Operand;
using attentune::ptx::parse;
using attentune::ptx::to_text;
using ptx_test::refusal_of;

std::string data(const std::string& name) {
  std::ifstream file(std::string(ATTENTUNE_TEST_DATA) + "/" + name);
  REQUIRE(file);
  return {std::istreambuf_iterator<char>(file), {}};
}

std::size_t count(const Entry& entry, std::string_view opcode) {
  return static_cast<std::size_t>(
      std::count_if(entry.instructions.begin(), entry.instructions.end(),
                    [&](const Instruction& instruction) { return instruction.opcode == opcode; }));
}

// A printed module reads as itself, and its control flow holds together.
void check_whole(const Module& module) {
  const std::string text = to_text(module);
  CHECK(to_text(parse(text)) == text);
  for (const Entry& entry : module.entries) {
    const ControlFlow flow = control_flow(entry);
    CHECK(flow.block_of.size() == entry.instructions.size());
    CHECK(std::all_of(flow.blocks.begin(), flow.blocks.end(), [](const auto& block) { return block.reachable; }));
  }
}

const std::vector<std::string> files = {"block_sum.ptx", "matrix_tile.ptx", "dispatch.ptx"};

double seconds_to_parse(const std::string& text) {
  const std::clock_t start = std::clock();  // of this process: how busy the machine is does not count
  static_cast<void>(refusal_of(text));
  return static_cast<double>(std::clock() - start) / CLOCKS_PER_SEC;
}

}  // namespace

TEST_CASE("ptx: a kernel of shuffles, memory of every kind and an inlined function") {
  const Module module = parse(data("block_sum.ptx"));
  check_whole(module);
  CHECK(module.target == "sm_80");
  REQUIRE(module.entries.size() == 1);
  const Entry& entry = module.entries[0];
  CHECK(entry.name == "block_sum");
  CHECK(entry.max_threads[0] == 256);
  CHECK(entry.min_blocks == 2);
  CHECK(entry.param_bytes == 24);
  CHECK(entry.variables.size() == 7);
  CHECK(count(entry, "shfl.sync.bfly.b32") == 10);
  CHECK(count(entry, "bar.sync") == 1);
  CHECK(module.files.at(1) == "block_sum.cu");
  const auto atomic = std::find_if(entry.instructions.begin(), entry.instructions.end(),
                                   [](const Instruction& instruction) { return instruction.modifiers[0] == "atom"; });
  REQUIRE(atomic != entry.instructions.end());
  CHECK(atomic->source.file == 1);
  CHECK(atomic->source.line == 29);  // where the .cu beside it says atomicAdd
}

TEST_CASE("ptx: a kernel of inline assembly whose labels and registers repeat") {
  const Module module = parse(data("matrix_tile.ptx"));
  check_whole(module);
  const Entry& entry = module.entries.at(0);
  CHECK(entry.variables.at(0).bytes == 40);
  CHECK(count(entry, "cp.async.cg.shared.global.L2::128B") == 10);
  CHECK(count(entry, "mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32") == 5);
  // Each copy of the loop branches to its own label, three instructions back.
  std::size_t loops = 0;
  for (std::size_t index = 0; index < entry.instructions.size(); ++index) {
    const Instruction& branch = entry.instructions[index];
    if (!branch.guard || entry.registers.at(static_cast<std::size_t>(branch.guard->index)).name.find("more") != 0)
      continue;
    ++loops;
    CHECK(branch.operands.at(0).index == static_cast<std::int32_t>(index) - 3);
  }
  CHECK(loops == 2);
}

TEST_CASE("ptx: a module of two entries, a switch and a local array") {
  const Module module = parse(data("dispatch.ptx"));
  check_whole(module);
  REQUIRE(module.entries.size() == 2);
  CHECK(module.entries[0].name == "dispatch");
  CHECK(module.entries[1].name == "permute");
  CHECK(control_flow(module.entries[0]).blocks.size() > 20);
  CHECK(module.entries[1].variables.back().bytes == 64);
}

TEST_CASE("ptx: what NVRTC emits here for every target") {
  for (const std::string source : {"block_sum.cu", "matrix_tile.cu", "dispatch.cu"}) {
    for (const std::string arch : {"sm_80", "sm_89", "sm_90a", "sm_120a"}) {
      const nvrtc::Compiled compiled = nvrtc::compile(data(source), arch);
      if (!compiled.skipped.empty()) {
        MESSAGE("skipped: ", compiled.skipped);
        return;
      }
      INFO(source, " for ", arch);
      check_whole(parse(compiled.ptx));
    }
  }
}

TEST_CASE("ptx: damaged texts are read or refused") {
  std::mt19937 random(20250301);
  const std::string_view spare = "{}[]()<>,;:+-|!@=%$._ \n\"/*0f19xU\x01\xff";
  std::size_t refused = 0;
  for (const std::string& file : files) {
    const std::string original = data(file);
    for (unsigned round = 0; round < 400; ++round) {
      std::string text = original;
      for (unsigned change = 0; change <= round % 4; ++change) {
        const std::size_t at = random() % text.size();
        const std::size_t length = random() % 20;
        switch (random() % 4) {
          case 0:
            text[at] = spare[random() % spare.size()];
            break;
          case 1:
            text.erase(at, length);
            break;
          case 2:
            text.insert(at, text.substr(random() % text.size(), length));
            break;
          default:
            text.resize(at + 1);
        }
      }
      refused += refusal_of(text).empty() ? 0 : 1;
    }
  }
  CHECK(refused > 600);
}

TEST_CASE("ptx: megabytes are read in seconds, whatever they hold") {
  const std::string& header = ptx_test::header;
  const auto repeated = [](const std::string& part) {
    std::string text;
    while (text.size() < 4'000'000)
      text += part;
    return text;
  };
  const auto body = [&](const std::string& text) { return header + ".entry k() {\n" + text + "}\n"; };
  std::string labels;
  for (int label = 0; labels.size() < 4'000'000; ++label)
    labels += "bra L" + std::to_string(label / 2) + "; L" + std::to_string(label) + ":\n";
  std::string entries;
  for (int entry = 0; entries.size() < 2'000'000; ++entry)
    entries += ".entry e" + std::to_string(entry) + "(){.reg .b64 d;mov.b64 d,g;}";

  const double limit = 20;  // half of one is usual; what is quadratic needs hours
  CHECK(seconds_to_parse(body(".reg .b32 %r<99>; .reg .b64 %rd<99>;\n" +
                              repeated("\tld.global.v4.u32 \t{%r33, %r34, %r35, %r36}, [%rd28+16];\n"))) < limit);
  CHECK(seconds_to_parse(body(labels)) < limit);
  CHECK(seconds_to_parse(body("L:" + repeated("{ bra L; }"))) < limit);
  CHECK(seconds_to_parse(body("{ bra L; " + repeated("bra L;") + "} L:")) < limit);
  CHECK(seconds_to_parse(body("L: t: .branchtargets " + repeated("L,") + "L;" + repeated("brx.idx 1, t;"))) < limit);
  CHECK(seconds_to_parse(body(repeated("/* */\n//\n"))) < limit);
  CHECK(seconds_to_parse(body(repeated("{"))) < limit);
  CHECK(seconds_to_parse(body("x {" + repeated("1,") + "1};")) < limit);
  CHECK(seconds_to_parse(header + ".global .b8 g[] = {" + repeated("1,").substr(0, 2'000'000) + "1};" + entries) <
        limit);
}
