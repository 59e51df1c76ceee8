// The compiler behind runtime/llvm/compiler.h: objects, their symbols, damaged files.
#include <doctest/doctest.h>

#include <algorithm>
#include <random>

#include "generator/error.h"
#include "generator/forward_host.h"
#include "runtime/llvm/compiler.h"

namespace attentune {
namespace {

const ForwardHost family;

Source source_for(const std::string& text, const Arch& arch) {
  const Problem problem = parse_problem(text);
  return family.render(problem, arch, family.default_config(problem, arch));
}

std::string message_of(const auto& action, Status status) {
  try {
    action();
  } catch (const Error& error) {
    CHECK(error.status() == status);
    return error.what();
  }
  FAIL("nothing was thrown");
  return {};
}

Source tiny(const std::string& body) {
  Source source;
  source.text =
      "target datalayout = \"e-m:e-p270:32:32-p271:32:32-p272:64:64-i64:64-i128:128-f80:128-n8:16:32:64-S128\"\n"
      "target triple = \"x86_64-unknown-linux-gnu\"\n" +
      body;
  source.launches.push_back({.entry = "f"});
  return source;
}

TEST_CASE("objects for every x86-64 level need nothing but memcpy and memset") {
#if defined(__x86_64__)
  for (const char* cpu : {"x86-64", "x86-64-v2", "haswell", "skylake-avx512", "znver4"}) {
    const Arch arch = llvm_backend::host_arch(cpu);
    for (const char* text :
         {"dtype=f16 heads=4/2 head_dim=72 seq=100 mask=causal() score=softcap(30) outputs=out,lse sink_logit=yes",
          "dtype=bf16 heads=4/2 head_dim=128 seq=100", "dtype=f32 heads=1 head_dim=33 seq=100 mask=window(4,4)",
          "dtype=f32 out=f16 k=bf16 v=f16 heads=1 head_dim=128/40 seq=100"}) {
      const Binary binary = llvm_backend::compile(source_for(text, arch), arch);
      INFO(cpu, " ", text);
      for (const std::string& symbol : llvm_backend::undefined_symbols(binary.object)) {
        INFO(symbol);
        CHECK((symbol == "memcpy" || symbol == "memset"));
      }
      CHECK(binary.compile_ms > 0);
      CHECK(binary.compiler.starts_with("llvm 19."));
      CHECK(binary.arch == to_text(arch));
    }
  }
#endif
}

TEST_CASE("the same source gives the same object") {
  const Arch host = llvm_backend::host_arch();
  const Source source = source_for("dtype=bf16 heads=4/2 head_dim=64 seq=100 mask=causal()", host);
  CHECK(llvm_backend::compile(source, host).object == llvm_backend::compile(source, host).object);
  CHECK(!llvm_backend::assembly(source, host).empty());
}

TEST_CASE("this machine and named CPUs are Archs") {
  const Arch host = llvm_backend::host_arch();
  CHECK(host.is_host());
  CHECK(std::is_sorted(host.features.begin(), host.features.end()));
  CHECK(parse_arch(to_text(host)) == host);
#if defined(__x86_64__)
  CHECK(llvm_backend::host_arch("haswell").has("avx2"));
  CHECK(!llvm_backend::host_arch("haswell").has("avx512f"));
  CHECK(!llvm_backend::host_arch("x86-64").has("sse3"));
  const std::string message = message_of([] { (void)llvm_backend::host_arch("hasswell"); }, Status::refused);
  CHECK(message.find("haswell") != std::string::npos);
#endif
}

TEST_CASE("what LLVM rejects is an error with its message") {
  const Arch host = llvm_backend::host_arch();
  const std::string syntax =
      message_of([&] { (void)llvm_backend::compile(tiny("define void @f( {\n"), host); }, Status::compile_failed);
  CHECK_MESSAGE(syntax.find("line 4") != std::string::npos, syntax);
  CHECK(message_of(
            [&] {
              (void)llvm_backend::compile(tiny("define i32 @f(i1 %c) {\n br i1 %c, label %a, label %b\na:\n %x = add "
                                               "i32 1, 2\n br label %b\nb:\n ret i32 %x\n}\n"),
                                          host);
            },
            Status::compile_failed)
            .find("dominate") != std::string::npos);
  Source other = tiny("define void @f() {\n ret void\n}\n");
  other.text.replace(other.text.find("x86_64-unknown"), 6, "riscv6");
  (void)message_of([&] { (void)llvm_backend::compile(other, host); }, Status::compile_failed);
}

TEST_CASE("a loaded entry runs; a missing one and a foreign symbol are errors") {
#if defined(__x86_64__)
  const Arch host = llvm_backend::host_arch();
  const auto loaded =
      llvm_backend::load(llvm_backend::compile(tiny("define i32 @f() nounwind {\n ret i32 42\n}\n"), host).object);
  CHECK(reinterpret_cast<int (*)()>(loaded->entry("f"))() == 42);
  CHECK(message_of([&] { (void)loaded->entry("g"); }, Status::device_failed).find("g") != std::string::npos);
  const Binary needs = llvm_backend::compile(tiny("declare i32 @system(ptr) nounwind\ndefine i32 @f(ptr %p) nounwind "
                                                  "{\n %r = call i32 @system(ptr %p)\n ret i32 %r\n}\n"),
                                             host);
  const std::string foreign = message_of([&] { (void)llvm_backend::load(needs.object); }, Status::device_failed);
  CHECK_MESSAGE(foreign.find("system") != std::string::npos, foreign);
#endif
}

TEST_CASE("a damaged object is an error, never a crash") {
  const Arch host = llvm_backend::host_arch();
  const std::vector<std::uint8_t> good =
      llvm_backend::compile(source_for("dtype=bf16 heads=2 head_dim=40 seq=50 mask=causal() outputs=out,lse", host),
                            host)
          .object;
  CHECK_NOTHROW((void)llvm_backend::load(good));
  for (const std::vector<std::uint8_t>& bad : {std::vector<std::uint8_t>{}, std::vector<std::uint8_t>(1000, 0),
                                               std::vector<std::uint8_t>(good.begin(), good.begin() + 63)}) {
    (void)message_of([&] { (void)llvm_backend::load(bad); }, Status::device_failed);
  }
  // Every truncation in steps, and seeded damage of headers, tables and contents: an error or a loadable object.
  const auto survives = [](const std::vector<std::uint8_t>& object) {
    try {
      (void)llvm_backend::load(object);
    } catch (const Error& error) {
      CHECK(error.status() == Status::device_failed);
    }
  };
  for (std::size_t size = 0; size < good.size(); size += good.size() / 97 + 1) {
    survives(std::vector<std::uint8_t>(good.begin(), good.begin() + static_cast<std::ptrdiff_t>(size)));
  }
  std::mt19937 random(7);
  for (int n = 0; n < 3000; ++n) {
    std::vector<std::uint8_t> damaged = good;
    // Headers and tables lie at both ends of the file; code is in between.
    const std::size_t window = n % 3 == 0 ? 64 : n % 3 == 1 ? std::min<std::size_t>(good.size(), 2048) : good.size();
    for (unsigned k = 0; k < 1 + random() % 4; ++k) {
      const std::size_t at = random() % window;
      damaged[n % 3 == 1 ? good.size() - 1 - at : at] = static_cast<std::uint8_t>(random());
    }
    survives(damaged);
  }
}

}  // namespace
}  // namespace attentune
