// Single wgmma instructions: operands placed by the canonical layouts of PTX ISA 9.0, table in section
// 9.7.15.5.1.2.1.3, element by element, and products of small integers compared exactly.
#include <doctest/doctest.h>

#include <cstdint>
#include <cstring>
#include <string>
#include <vector>

#include <fmt/format.h>

#include "runtime/simulator/memory/windows.h"
#include "runtime/simulator/numerics/format.h"
#include "tests/simulator/hopper_run.h"

using namespace attentune;
using namespace attentune::simulator;

namespace {

struct Layout {
  int swizzle = 128;  // bytes, 0 for none
  bool mn_major = false;
  int spread = 1;  // of the larger offset, to leave holes
};

struct Element {
  const char* name;
  numerics::Format format;
  int bytes;
};
const Element f16{"f16", numerics::f16, 2};
const Element bf16{"bf16", numerics::bf16, 2};
const Element e4m3{"e4m3", numerics::e4m3, 1};
const Element e5m2{"e5m2", numerics::e5m2, 1};

struct Offsets {
  int leading = 16;
  int stride = 0;
};

// Dense offsets of an operand of `rows` of M or N and one instruction's k.
Offsets offsets_of(const Layout& layout, int rows) {
  if (layout.swizzle == 0)
    return layout.mn_major ? Offsets{.leading = 128 * (rows / 8) * layout.spread, .stride = 128}
                           : Offsets{.leading = 128 * (rows / 8) * layout.spread, .stride = 128};
  if (layout.mn_major)
    return {.leading = 16 * layout.swizzle * layout.spread, .stride = 8 * layout.swizzle};
  return {.stride = 8 * layout.swizzle * layout.spread};
}

// Swizzle<B,4,3> of CuTe on a byte address: bits 4 to 3+B exchanged by bits 7 to 6+B.
std::uint64_t swizzle(std::uint64_t address, int bytes) {
  const int b = bytes == 128 ? 3 : bytes == 64 ? 2 : bytes == 32 ? 1 : 0;
  for (int bit = 0; bit < b; ++bit)
    address ^= (address >> (7 + bit) & 1) << (4 + bit);
  return address;
}

// The byte address of element (mn, k), by the canonical layout with T elements in 16 bytes.
std::uint64_t address_of(const Layout& layout, const Offsets& o, std::uint64_t start, int mn, int k, int es) {
  const int t = 16 / es;
  int bytes = 0;
  if (layout.swizzle == 0 && layout.mn_major)  // ((T,1,m),(8,k)):((1,T,SBO),(1T,LBO))
    bytes = mn % t * es + mn / t * o.stride + k % 8 * t * es + k / 8 * o.leading;
  else if (layout.swizzle == 0)  // ((8,m),(T,2k)):((1T,SBO),(1,LBO))
    bytes = mn % 8 * t * es + mn / 8 * o.stride + k % t * es + k / t * o.leading;
  else if (layout.mn_major) {  // ((T,w,m),(8,k)):((1,T,LBO),(wT,SBO))
    const int w = layout.swizzle / 16;
    bytes = mn % t * es + mn / t % w * t * es + mn / (t * w) * o.leading + k % 8 * w * t * es + k / 8 * o.stride;
  } else {  // ((8,m),(T,2k)):((wT,SBO),(1,T))
    const int w = layout.swizzle / 16;
    bytes = mn % 8 * w * t * es + mn / 8 * o.stride + k % t * es + k / t * t * es;
  }
  return swizzle(start + static_cast<std::uint64_t>(bytes), layout.swizzle);
}

std::uint64_t descriptor(const Layout& layout, const Offsets& o, std::uint64_t start) {
  const std::uint64_t mode = layout.swizzle == 128 ? 1 : layout.swizzle == 64 ? 2 : layout.swizzle == 32 ? 3 : 0;
  return (start & 0x3FFFF) >> 4 | static_cast<std::uint64_t>(o.leading & 0x3FFFF) >> 4 << 16 |
         static_cast<std::uint64_t>(o.stride & 0x3FFFF) >> 4 << 32 | mode << 62;
}

struct Case {
  int n = 64;
  Element a = bf16;
  Element b = bf16;
  Layout a_layout;
  Layout b_layout;
  bool a_in_registers = false;
  bool f16_accumulator = false;
  bool scale_d = false;
  int scale_a = 1;
  int scale_b = 1;
};

void store(std::vector<std::byte>& bytes, std::size_t at, const Element& element, int value) {
  const auto bits = static_cast<std::uint32_t>(
      numerics::encode(element.format, static_cast<double>(value), numerics::Rounding::nearest_even));
  std::memcpy(bytes.data() + at, &bits, static_cast<std::size_t>(element.bytes));
}

// Small integers, different in each place.
int value(int i, int j) { return (i * 7 + j * 5 + i * j) % 7 - 3; }

std::string list(const std::string& prefix, int first, int count) {
  std::string text;
  for (int i = 0; i < count; ++i)
    text += (i == 0 ? "" : ", ") + prefix + std::to_string(first + i);
  return text;
}

void check(const Case& c) {
  const int k = c.a.bytes == 2 ? 16 : 32;
  const std::uint64_t a_start = shared_begin;
  const std::uint64_t b_start = shared_begin + 32768;
  const Offsets a_offsets = offsets_of(c.a_layout, 64);
  const Offsets b_offsets = offsets_of(c.b_layout, c.n);
  HopperRun run;
  run.shared_bytes = 131072;
  run.in.assign(131072 + 128 * 16, std::byte{0x7F});  // what no operand holds is a NaN; then A's fragments
  const auto place = [&](std::uint64_t address) { return static_cast<std::size_t>(address - shared_begin); };
  for (int j = 0; j < k; ++j) {
    for (int m = 0; m < 64; ++m) {
      if (c.a_in_registers) {
        // Lane l holds rows l/4 and l/4+8 of its warp, and elements of 4 bytes at 4 (l%4) and 16 further along k.
        const int per = 4 / c.a.bytes;
        const int lane = m % 8 * 4 + j % (4 * per) / per;
        const int reg = m % 16 / 8 + 2 * (j / (4 * per));
        store(run.in, static_cast<std::size_t>(131072 + (m / 16 * 32 + lane) * 16 + reg * 4 + j % per * c.a.bytes), c.a,
              value(m, j));
      } else {
        store(run.in, place(address_of(c.a_layout, a_offsets, a_start, m, j, c.a.bytes)), c.a, value(m, j));
      }
    }
    for (int n = 0; n < c.n; ++n)
      store(run.in, place(address_of(c.b_layout, b_offsets, b_start, n, j, c.b.bytes)), c.b, value(n + 3, j));
  }
  const int registers = c.f16_accumulator ? c.n / 4 : c.n / 2;
  const std::string type = c.f16_accumulator ? "f16" : "f32";
  const std::string prefix = c.f16_accumulator ? "%w" : "%f";
  std::string body =
      fmt::format(".reg .b32 %w<64>; .reg .pred %scale;\nsetp.eq.u32 %scale, 1, {};\n", c.scale_d ? 1 : 0) +
      copy_in(131072);
  body +=
      "mul.lo.u32 %r10, %t, 16; cvt.u64.u32 %rd1, %r10; add.u64 %rd1, %rd1, %in; add.u64 %rd1, %rd1, 131072;\n"
      "ld.global.v4.u32 {%r20, %r21, %r22, %r23}, [%rd1];\n";
  // What D held: 2 everywhere.
  for (int i = 0; i < registers && c.scale_d; ++i)
    body += c.f16_accumulator ? fmt::format("mov.b32 %w{}, 0x40004000;\n", i)
                              : fmt::format("mov.f32 %f{}, 0f40000000;\n", i);
  body += fmt::format("mov.u64 %rd2, {}; mov.u64 %rd3, {};\nwgmma.fence.sync.aligned;\n",
                      descriptor(c.a_layout, a_offsets, a_start), descriptor(c.b_layout, b_offsets, b_start));
  body += fmt::format("wgmma.mma_async.sync.aligned.m64n{}k{}.{}.{}.{} {{{}}}, {}, %rd3, %scale, {}, {}{}{};\n", c.n, k,
                      type, c.a.name, c.b.name, list(prefix, 0, registers),
                      c.a_in_registers ? "{%r20, %r21, %r22, %r23}" : "%rd2", c.scale_a, c.scale_b,
                      c.a.bytes == 1 || c.a_in_registers ? ""
                      : c.a_layout.mn_major              ? ", 1"
                                                         : ", 0",
                      c.a.bytes == 1        ? ""
                      : c.b_layout.mn_major ? ", 1"
                                            : ", 0");
  body += "wgmma.commit_group.sync.aligned;\nwgmma.wait_group.sync.aligned 0;\n";
  body += fmt::format("mul.lo.u32 %r11, %t, {}; cvt.u64.u32 %rd4, %r11; add.u64 %rd4, %rd4, %out;\n", 4 * registers);
  for (int i = 0; i < registers; ++i)
    body += fmt::format("st.global.b32 [%rd4+{}], {}{};\n", 4 * i, prefix, i);
  run.body = body;
  run.out.resize(static_cast<std::size_t>(128 * registers * 4));
  for (const Asynchrony asynchrony : {Asynchrony::lazy, Asynchrony::eager}) {
    run.options.asynchrony = asynchrony;
    run.run();
    const std::vector<float> floats = run.values<float>();
    const std::vector<std::uint16_t> halves = run.values<std::uint16_t>();
    int wrong = 0;
    for (int thread = 0; thread < 128; ++thread) {
      for (int i = 0; i < c.n / 2; ++i) {
        const int m = 16 * (thread / 32) + thread % 32 / 4 + 8 * (i / 2 % 2);
        const int n = 8 * (i / 4) + 2 * (thread % 4) + i % 2;
        int sum = c.scale_d ? 2 : 0;
        for (int j = 0; j < k; ++j)
          sum += c.scale_a * c.scale_b * value(m, j) * value(n + 3, j);
        const auto at = static_cast<std::size_t>(thread * c.n / 2 + i);
        const float got = c.f16_accumulator ? numerics::decode_float(numerics::f16, halves[at]) : floats[at];
        wrong += got != static_cast<float>(sum) ? 1 : 0;
      }
    }
    CAPTURE(c.n);
    CAPTURE(c.a.name);
    CAPTURE(c.a_layout.swizzle);
    CAPTURE(c.b_layout.swizzle);
    CAPTURE(c.a_layout.mn_major);
    CAPTURE(c.b_layout.mn_major);
    CHECK(wrong == 0);
  }
}

}  // namespace

TEST_CASE("hopper: wgmma walks every swizzle and major of 16-bit operands") {
  for (const int swizzle_bytes : {0, 32, 64, 128}) {
    for (const bool mn_major : {false, true}) {
      for (const int spread : {1, 2}) {
        const Layout layout{.swizzle = swizzle_bytes, .mn_major = mn_major, .spread = spread};
        check({.a_layout = layout});
        check({.n = 128, .b_layout = layout});
        check({.n = 40, .a = f16, .b = f16, .a_layout = {.swizzle = 32}, .b_layout = layout, .a_in_registers = true});
      }
    }
  }
}

TEST_CASE("hopper: wgmma of fp8, K-major") {
  for (const int swizzle_bytes : {0, 32, 64, 128}) {
    const Layout layout{.swizzle = swizzle_bytes};
    check({.n = 96, .a = e4m3, .b = e4m3, .a_layout = layout, .b_layout = layout});
    check({.n = 8, .a = e5m2, .b = e4m3, .a_layout = layout, .b_layout = layout, .a_in_registers = true});
    check({.n = 16, .a = e4m3, .b = e5m2, .a_layout = layout, .b_layout = layout, .f16_accumulator = true});
  }
}

TEST_CASE("hopper: wgmma adds, negates, and has accumulators of f16") {
  check({.n = 256, .scale_d = true});
  check({.n = 248, .scale_a = -1});
  check({.scale_d = true, .scale_b = -1});
  check({.a = f16, .b = f16, .f16_accumulator = true, .scale_d = true, .scale_a = -1, .scale_b = -1});
}

namespace {

// D += A * B of one tile in shared memory, m64n8k16, descriptors of 128-byte swizzle.
std::string small_product(const std::string& before, const std::string& b = "%rd3") {
  return copy_in(16384) + R"(
    mov.u64 %rd2, 0x4000004000010040; mov.u64 %rd3, 0x4000004000010240;
    mov.f32 %f0, 0f00000000; mov.f32 %f1, 0f00000000; mov.f32 %f2, 0f00000000; mov.f32 %f3, 0f00000000;
)" + before +
         "\nwgmma.fence.sync.aligned;\n"
         "wgmma.mma_async.sync.aligned.m64n8k16.f32.bf16.bf16 {%f0, %f1, %f2, %f3}, %rd2, " +
         b + ", 1, 1, 1, 0, 0;\nwgmma.commit_group.sync.aligned;\n";
}

std::string fault_of_body(const std::string& body, Asynchrony asynchrony = Asynchrony::lazy,
                          std::uint32_t threads = 128) {
  HopperRun run{.body = body, .threads = threads, .in = std::vector<std::byte>(16384)};
  run.options.asynchrony = asynchrony;
  run.out.resize(4096);
  return run.fault();
}

bool says(const std::string& text, std::string_view part) {
  CAPTURE(text);
  return text.find(part) != std::string::npos;
}

constexpr const char* wait = "wgmma.wait_group.sync.aligned 0;\n";

}  // namespace

TEST_CASE("hopper: what wgmma and its registers may not do") {
  CHECK(fault_of_body(small_product("") + wait) == "");
  for (const Asynchrony mode : {Asynchrony::lazy, Asynchrony::eager}) {
    CHECK(says(fault_of_body(small_product("st.shared.u32 [%m], %t;\nbar.sync 0;\n") + wait, mode), "race"));
    CHECK(says(fault_of_body(
                   small_product("setp.eq.u32 %p1, %t, 0; @%p1 st.shared.u32 [%m], %t;\nbar.sync 0;\n") + wait, mode),
               "in the generic proxy, and no fence.proxy.async stands between"));
    CHECK(fault_of_body(small_product("setp.eq.u32 %p1, %t, 0; @%p1 st.shared.u32 [%m], %t;\n"
                                      "fence.proxy.async; bar.sync 0;\n") +
                            wait,
                        mode) == "");
    CHECK(fault_of_body(small_product("setp.eq.u32 %p1, %t, 0; @%p1 st.shared.u32 [%m], %t;\n"
                                      "bar.sync 0; fence.proxy.async;\n") +
                            wait,
                        mode) == "");
    CHECK(says(fault_of_body(small_product("") + "st.shared.u32 [%m], 0;\n" + wait, mode), "race"));
    CHECK(says(fault_of_body(small_product("") + "setp.eq.u32 %p1, %t, 0; @%p1 st.shared.u32 [%m], %t;\n" + wait, mode),
               "that was read by a wgmma of warpgroup 0"));
    CHECK(says(fault_of_body(small_product("") + "add.f32 %f10, %f0, %f0;\n" + wait, mode), "reads %f0, which is an"));
    CHECK(
        says(fault_of_body(small_product("") + "mov.f32 %f3, 0f00000000;\n" + wait, mode), "writes %f3, which is an"));
    CHECK(says(fault_of_body(small_product(""), mode), "has not waited for its wgmma operations"));
  }
}

TEST_CASE("hopper: descriptors that say nothing sensible") {
  const auto with = [](std::uint64_t bits) {
    return fault_of_body(small_product(fmt::format("mov.u64 %rd3, {};", bits)) + wait);
  };
  constexpr std::uint64_t good = 0x4000004000010240;
  CHECK(with(good) == "");
  for (const int bit : {14, 15, 30, 31, 46, 47, 48, 52, 57, 61}) {
    CAPTURE(bit);
    CHECK(says(with(good | std::uint64_t{1} << bit), "the descriptor of B: its reserved bits"));
  }
  CHECK(says(with(good | std::uint64_t{3} << 49), "its base offset is 3"));
  CHECK(says(with(good + 8), "its pattern begins at 0x2480, which is no multiple of 1024 bytes"));
  CHECK(with(good + 2) == "");
  CHECK(says(with((good & ~std::uint64_t{0x3FFF}) | 0x3FC0), "out of bounds: a wgmma reads 16 bytes at shared"));
}

TEST_CASE("hopper: the four warps of a warpgroup act as one") {
  // A descriptor of one warp only.
  CHECK(says(fault_of_body(small_product("setp.ge.u32 %p1, %t, 96; @%p1 add.u64 %rd3, %rd3, 2;") + wait),
             "another warp of the warpgroup issued one"));
  CHECK(
      says(fault_of_body(small_product("and.b32 %r9, %t, 1; cvt.u64.u32 %rd9, %r9; add.u64 %rd3, %rd3, %rd9;") + wait),
           "the descriptor of B (%rd3) differs between lanes"));
  // One warp does not take part.
  const std::string partial = copy_in(16384) + "setp.ge.u32 %p1, %t, 96; @%p1 bra END;\n" +
                              small_product("").substr(copy_in(16384).size()) + wait + "END:\n";
  CHECK(says(fault_of_body(partial), "exit"));
  CHECK(says(fault_of_body(small_product("").replace(0, copy_in(16384).size(), copy_in(16384, 64)) + wait,
                           Asynchrony::lazy, 64),
             "the warpgroup has 2 warps; it takes 4"));
}

TEST_CASE("hopper: setmaxnreg") {
  const auto run = [](const std::string& body, std::uint32_t threads) {
    return HopperRun{.body = body, .threads = threads}.fault();
  };
  const std::string roles =
      "setp.ge.u32 %p1, %t, 128; @%p1 bra MORE; setmaxnreg.dec.sync.aligned.u32 24; bra END;\n"
      "MORE: setmaxnreg.inc.sync.aligned.u32 {}; END:\n";
  CHECK(run(fmt::format(fmt::runtime(roles), 240), 384) == "");
  CHECK(says(run(fmt::format(fmt::runtime(roles), 248), 384), "wait for registers in setmaxnreg"));
  CHECK(run(fmt::format(fmt::runtime(roles), 160), 512) == "");
  CHECK(says(run(fmt::format(fmt::runtime(roles), 168), 512), "wait for registers in setmaxnreg"));
  // A block begins with no more than the largest increase asks for.
  CHECK(run("setmaxnreg.inc.sync.aligned.u32 160;", 384) == "");
  CHECK(says(run("setp.ne.u32 %p1, %t, %t; @%p1 bra NEVER; setmaxnreg.inc.sync.aligned.u32 160; bra END;\n"
                 "NEVER: setmaxnreg.inc.sync.aligned.u32 240; END:\n",
                 384),
             "inc to 160 registers by a warp that holds 168"));
  CHECK(says(run("setmaxnreg.dec.sync.aligned.u32 176;", 384), "dec to 176 registers by a warp that holds 168"));
  CHECK(
      says(run("setp.ge.u32 %p1, %t, 96; @%p1 bra END; setmaxnreg.dec.sync.aligned.u32 24; END:", 128), "setmaxnreg"));
  CHECK(says(run("setp.ge.u32 %p1, %t, 96; @%p1 bra OTHER; setmaxnreg.dec.sync.aligned.u32 24; bra END;"
                 "OTHER: setmaxnreg.dec.sync.aligned.u32 24; END:",
                 128),
             "another warp of the warpgroup executed the setmaxnreg at PTX line"));
  HopperRun unbounded{.body = "setmaxnreg.dec.sync.aligned.u32 24;", .directives = ".maxntid 128"};
  CHECK(says(unbounded.fault(), "without .maxnreg, or .maxntid and .minnctapersm, has no effect"));
  // .maxnreg 40 leaves 16 of each of 128 threads, which is what 128 others need to have 56.
  const auto stated = [](int more) {
    const std::string body =
        "setp.ge.u32 %p1, %t, 128; @%p1 bra MORE; setmaxnreg.dec.sync.aligned.u32 24; bra END;\n"
        "MORE: setmaxnreg.inc.sync.aligned.u32 {}; END:\n";
    return HopperRun{.body = fmt::format(fmt::runtime(body), more), .threads = 256, .directives = ".maxnreg 40"}
        .fault();
  };
  CHECK(stated(56) == "");
  CHECK(says(stated(64), "wait for registers in setmaxnreg"));
  CHECK(says(stated(32), "inc to 32 registers by a warp that holds 40"));
}
