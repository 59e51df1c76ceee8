// Bulk and tensor copies: every box element placed by an independent loop over coordinates.
#include <doctest/doctest.h>

#include <array>
#include <cstdint>
#include <cstring>
#include <string>
#include <vector>

#include <fmt/format.h>

#include "runtime/simulator/memory/windows.h"
#include "tests/simulator/hopper_run.h"

using namespace attentune::simulator;

namespace {

bool says(const std::string& text, std::string_view part) { return text.find(part) != std::string::npos; }

// The mbarrier stands behind 32 KiB of data.
constexpr const char* barrier = "add.u32 %r30, %m, 32768;\n";
constexpr const char* initialize = R"(
    setp.eq.u32 %p1, %t, 0;
    @%p1 mbarrier.init.shared::cta.b64 [%r30], 1;
    fence.proxy.async; bar.sync 0;
)";
constexpr const char* wait = R"(
    WAIT: mbarrier.try_wait.parity.shared::cta.b64 %p2, [%r30], 0;
    @!%p2 bra WAIT;
)";

std::string coordinates(const std::array<int, 5>& at, std::uint32_t rank) {
  std::string text;
  for (std::uint32_t d = 0; d < rank; ++d)
    text += (d == 0 ? "" : ", ") + std::to_string(at[d]);
  return text;
}

struct Tensor {
  std::uint32_t rank = 2;
  TensorElement element = TensorElement::bf16;
  std::array<std::uint64_t, 5> size{};
  std::array<std::uint32_t, 5> box{};
  std::array<std::uint32_t, 5> step{1, 1, 1, 1, 1};
  int swizzle = 0;
  bool nan_fill = false;

  // Rows padded by 16 bytes, so that strides are no products of sizes.
  [[nodiscard]] TensorMapFields map(const void* data) const {
    TensorMapFields fields{.address = reinterpret_cast<std::uintptr_t>(data),
                           .element = element,
                           .rank = rank,
                           .size = size,
                           .box = box,
                           .step = step,
                           .swizzle_bytes = swizzle,
                           .nan_fill = nan_fill};
    std::uint64_t stride = (size[0] * bytes_of(element) + 15) / 16 * 16 + 16;
    for (std::uint32_t d = 1; d < rank; ++d) {
      fields.stride_bytes[d - 1] = stride;
      stride *= size[d];
    }
    return fields;
  }
  [[nodiscard]] std::size_t bytes() const {
    std::uint64_t stride = (size[0] * bytes_of(element) + 15) / 16 * 16 + 16;
    for (std::uint32_t d = 1; d < rank; ++d)
      stride *= size[d];
    return stride;
  }
};

std::uint64_t swizzle(std::uint64_t address, int bytes) {
  const int bits = bytes == 128 ? 3 : bytes == 64 ? 2 : bytes == 32 ? 1 : 0;
  for (int bit = 0; bit < bits; ++bit)
    address ^= (address >> (7 + bit) & 1) << (4 + bit);
  return address;
}

// Calls action(byte in shared memory, byte in the tensor or -1) for every byte of the box.
template <class Action>
void for_each_byte(const Tensor& tensor, const TensorMapFields& map, const std::array<int, 5>& at, Action&& action) {
  std::array<std::uint32_t, 5> count{1, 1, 1, 1, 1};
  for (std::uint32_t d = 0; d < tensor.rank; ++d)
    count[d] = d == 0 ? tensor.box[0] : (tensor.box[d] + tensor.step[d] - 1) / tensor.step[d];
  const std::size_t es = bytes_of(tensor.element);
  std::size_t linear = 0;
  for (std::uint32_t e = 0; e < count[4]; ++e)
    for (std::uint32_t d = 0; d < count[3]; ++d)
      for (std::uint32_t c = 0; c < count[2]; ++c)
        for (std::uint32_t b = 0; b < count[1]; ++b)
          for (std::uint32_t a = 0; a < count[0]; ++a) {
            const std::array<std::uint32_t, 5> index{a, b, c, d, e};
            bool inside = true;
            std::int64_t place = 0;
            for (std::uint32_t i = 0; i < tensor.rank; ++i) {
              const std::int64_t x = at[i] + std::int64_t{index[i]} * (i == 0 ? 1 : tensor.step[i]);
              inside = inside && x >= 0 && x < static_cast<std::int64_t>(tensor.size[i]);
              place += x * static_cast<std::int64_t>(i == 0 ? es : map.stride_bytes[i - 1]);
            }
            for (std::size_t byte = 0; byte < es; ++byte, ++linear)
              action(static_cast<std::size_t>(swizzle(shared_begin + linear, tensor.swizzle) - shared_begin),
                     inside ? place + static_cast<std::int64_t>(byte) : -1, byte);
          }
}

std::size_t box_size(const Tensor& tensor) {
  std::size_t bytes = bytes_of(tensor.element) * tensor.box[0];
  for (std::uint32_t d = 1; d < tensor.rank; ++d)
    bytes *= (tensor.box[d] + tensor.step[d] - 1) / tensor.step[d];
  return bytes;
}

std::string load_body(const Tensor& tensor, const std::array<int, 5>& at, const std::string& modifiers = "",
                      const std::string& more = "") {
  return std::string(barrier) + initialize +
         fmt::format(
             "@%p1 mbarrier.arrive.expect_tx.shared::cta.b64 _, [%r30], {};\n"
             "@%p1 cp.async.bulk.tensor.{}d.shared::cluster.global.tile.mbarrier::complete_tx::bytes{} "
             "[%m], [%map, {{{}}}], [%r30]{};\n",
             box_size(tensor), tensor.rank, modifiers, coordinates(at, tensor.rank), more) +
         wait + copy_out(static_cast<std::uint32_t>(box_size(tensor)));
}

void check_load(const Tensor& tensor, const std::array<int, 5>& at, const std::string& modifiers = "",
                const std::string& more = "") {
  for (const Asynchrony asynchrony : {Asynchrony::lazy, Asynchrony::eager}) {
    HopperRun run{.body = load_body(tensor, at, modifiers, more)};
    run.options.asynchrony = asynchrony;
    run.in.resize(tensor.bytes());
    for (std::size_t i = 0; i < run.in.size(); ++i)
      run.in[i] = static_cast<std::byte>(i * 31 % 251 + 1);
    run.map = tensor.map(run.in.data());
    run.out.resize(box_size(tensor));
    run.run();
    int wrong = 0;
    for_each_byte(tensor, run.map, at, [&](std::size_t place, std::int64_t from, std::size_t byte) {
      const std::byte fill = !tensor.nan_fill                       ? std::byte{0}
                             : byte + 1 == bytes_of(tensor.element) ? std::byte{0x7F}
                                                                    : std::byte{0xFF};
      wrong += run.out[place] != (from < 0 ? fill : run.in[static_cast<std::size_t>(from)]) ? 1 : 0;
    });
    CAPTURE(tensor.rank);
    CAPTURE(tensor.swizzle);
    CHECK(wrong == 0);
  }
}

}  // namespace

TEST_CASE("hopper: tensor loads of every rank and swizzle, inside and outside of the tensor") {
  for (const int swizzle_bytes : {0, 32, 64, 128}) {
    const std::uint32_t width = swizzle_bytes == 0 ? 24 : static_cast<std::uint32_t>(swizzle_bytes) / 2;
    for (std::uint32_t rank = 1; rank <= 5; ++rank) {
      const Tensor tensor{.rank = rank, .size = {70, 9, 5, 3, 4}, .box = {width, 8, 3, 2, 2}, .swizzle = swizzle_bytes};
      check_load(tensor, {0, 0, 0, 0, 0});
      check_load(tensor, {8, 1, 2, 1, 1});
      check_load(tensor, {-3, -2, -1, -1, -1});
      check_load(tensor, {61, 5, 3, 2, 3});
    }
  }
  const Tensor bytes{.element = TensorElement::u8, .size = {100, 20}, .box = {64, 16}, .swizzle = 64};
  check_load(bytes, {50, 7});
  check_load({.element = TensorElement::f32, .size = {100, 20}, .box = {32, 16}, .swizzle = 128}, {90, -7});
  check_load({.size = {64, 20}, .box = {32, 8}, .step = {1, 3}, .swizzle = 64}, {8, 5});
  check_load({.size = {64, 20}, .box = {32, 8}, .nan_fill = true}, {50, 15});
  check_load({.size = {64, 20}, .box = {32, 8}}, {1000, 15});
  check_load({.size = {64, 20}, .box = {32, 8}}, {0, 0}, ".L2::cache_hint", ", 0x12F0000000000000");
}

TEST_CASE("hopper: tensor stores leave what is out of bounds alone") {
  for (const int swizzle_bytes : {0, 64, 128}) {
    for (const bool read_only_wait : {false, true}) {
      const Tensor tensor{.rank = 3,
                          .size = {70, 9, 5},
                          .box = {swizzle_bytes == 0 ? 24U : static_cast<std::uint32_t>(swizzle_bytes) / 2, 8, 3},
                          .swizzle = swizzle_bytes};
      const std::array<int, 5> at{61, 5, -1, 0, 0};
      HopperRun run;
      const auto size = static_cast<std::uint32_t>(box_size(tensor));
      run.body =
          copy_in(size) + fmt::format(
                              "setp.eq.u32 %p1, %t, 0;\n"
                              "@%p1 cp.async.bulk.tensor.3d.global.shared::cta.tile.bulk_group [%map, {{{}}}], [%m];\n"
                              "@%p1 cp.async.bulk.commit_group;\n@%p1 cp.async.bulk.wait_group{} 0;\n",
                              coordinates(at, 3), read_only_wait ? ".read" : "");
      run.in.resize(size);
      for (std::size_t i = 0; i < size; ++i)
        run.in[i] = static_cast<std::byte>(i * 31 % 251 + 1);
      run.out.assign(tensor.bytes(), std::byte{0xEE});
      run.map = tensor.map(run.out.data());
      run.run();
      std::vector<std::byte> want(tensor.bytes(), std::byte{0xEE});
      for_each_byte(tensor, run.map, at, [&](std::size_t place, std::int64_t to, std::size_t /*byte*/) {
        if (to >= 0)
          want[static_cast<std::size_t>(to)] = run.in[place];
      });
      CHECK(run.out == want);
    }
  }
}

TEST_CASE("hopper: bulk copies and reductions without a tensor") {
  for (const Asynchrony asynchrony : {Asynchrony::lazy, Asynchrony::eager}) {
    HopperRun load;
    load.options.asynchrony = asynchrony;
    load.body =
        std::string(barrier) + initialize +
        "@%p1 mbarrier.arrive.expect_tx.shared::cta.b64 _, [%r30], 512;\n"
        "@%p1 cp.async.bulk.shared::cluster.global.mbarrier::complete_tx::bytes [%m+256], [%in+16], 256, [%r30];\n"
        "@%p1 cp.async.bulk.shared::cta.global.mbarrier::complete_tx::bytes [%m], [%in+512], 256, [%r30];\n" +
        wait + copy_out(512);
    for (int i = 0; i < 768; ++i)
      load.in.push_back(static_cast<std::byte>(i % 253));
    load.out.resize(512);
    load.run();
    CHECK(std::memcmp(load.out.data(), load.in.data() + 512, 256) == 0);
    CHECK(std::memcmp(load.out.data() + 256, load.in.data() + 16, 256) == 0);

    const auto reduced = [&](const std::string& operation, auto first, auto second) {
      HopperRun run;
      run.options.asynchrony = asynchrony;
      run.body = copy_in(256) + "setp.eq.u32 %p1, %t, 0;\n@%p1 cp.reduce.async.bulk.global.shared::cta.bulk_group." +
                 operation + " [%out], [%m], 256;\n" +
                 "@%p1 cp.async.bulk.commit_group;\n@%p1 cp.async.bulk.wait_group 0;\n";
      run.in.resize(256);
      run.out.resize(256);
      for (std::size_t i = 0; i < 256; i += sizeof first) {
        std::memcpy(run.in.data() + i, &first, sizeof first);
        std::memcpy(run.out.data() + i, &second, sizeof second);
      }
      run.run();
      return run.values<decltype(first)>()[3];
    };
    CHECK(reduced("add.f32", 1.5F, 2.25F) == 3.75F);
    CHECK(reduced("add.u32", 7U, 8U) == 15U);
    CHECK(reduced("max.s32", -7, -8) == -7);
    CHECK(reduced("min.u64", std::uint64_t{5}, std::uint64_t{6}) == 5U);
    CHECK(reduced("xor.b32", 0xF0U, 0xFFU) == 0x0FU);
    CHECK(reduced("add.noftz.bf16", std::uint16_t{0x3F80}, std::uint16_t{0x4000}) == 0x4040);
    CHECK(reduced("add.noftz.f16", std::uint16_t{0x3C00}, std::uint16_t{0x3C00}) == 0x4000);
    CHECK(reduced("inc.u32", 4U, 4U) == 0U);
  }
}

TEST_CASE("hopper: what bulk copies may not do") {
  const Tensor tensor{.size = {64, 16}, .box = {64, 8}, .swizzle = 128};
  const auto fault = [&](const std::string& body, const Tensor& map_of) {
    HopperRun run{.body = body};
    run.in.resize(map_of.bytes());
    run.out.resize(4096);
    run.map = map_of.map(run.in.data());
    return run.fault();
  };
  const std::string good = load_body(tensor, {0, 0});
  const auto with = [&](const std::string& from, const std::string& to) {
    std::string text = good;
    const std::size_t at = text.find(from);
    REQUIRE(at != std::string::npos);
    return fault(text.replace(at, from.size(), to), tensor);
  };
  CHECK(fault(good, tensor) == "");
  CHECK(
      says(with("bytes [%m], [%map", "bytes [%m+64], [%map"), "the destination of a bulk copy at 0x440, which is not"));
  CHECK(says(with("[%map, {", "[%map+16, {"), "the tensor map of a bulk copy at 0x10, which is not a multiple of 64"));
  std::string stray = good;
  stray.replace(stray.find("[%map, {"), 8, "[%rd9, {");
  CHECK(says(fault("and.b64 %rd9, %in, -64; add.u64 %rd9, %rd9, 64;\n" + stray, tensor), "the tensor map is none"));
  CHECK(says(with("add.u32 %r30, %m, 32768;", "add.u32 %r30, %m, 32772;"), "misaligned address"));
  CHECK(says(with("_, [%r30], 1024;", "_, [%r30], 1008;"), "deadlock"));
  CHECK(says(with("_, [%r30], 1024;", "_, [%r30], 1008;"), "-16 bytes are missing"));
  CHECK(says(with("_, [%r30], 1024;", "_, [%r30], 1048576;"), "becomes 1048576 bytes, outside of +-1048575"));
  const std::string hasty = with(wait, "");
  CHECK((says(hasty, "that nobody has written") ||
         says(hasty, "race: reads byte 0 of shared memory that was written by a bulk copy")));
  CHECK(says(fault(load_body({.rank = 3, .size = {64, 16, 2}, .box = {64, 8, 1}}, {0, 0, 0}), tensor),
             "a tensor map of 2 dimensions is used with 3 coordinates"));
  const Tensor narrow{.size = {64, 16}, .box = {32, 8}, .swizzle = 128};
  CHECK(says(fault(load_body(narrow, {0, 0}), narrow), "rows have 64 bytes with a swizzle of 128"));
  const std::string store =
      copy_in(1024) + "setp.eq.u32 %p1, %t, 0;\n@%p1 cp.async.bulk.global.shared::cta.bulk_group [%out], [%m], 1024;\n";
  const std::string finish = "@%p1 cp.async.bulk.commit_group;\n@%p1 cp.async.bulk.wait_group.read 0;\n";
  CHECK(fault(store + finish, tensor) == "");
  CHECK(says(fault(store, tensor), "cp.async.bulk.wait_group{.read} 0 is missing"));
  CHECK(says(fault(store + "@%p1 st.shared.u32 [%m], %t;\n" + finish, tensor),
             "race: writes byte 0 of shared memory that was read by a bulk copy"));
  CHECK(says(fault(store + finish + "@%p1 ld.global.u32 %r9, [%out];\n", tensor),
             "race: reads byte 0 of out that was written by a bulk copy of warp 0"));
  std::string unfenced = store + finish;
  unfenced.replace(unfenced.find("fence.proxy.async.shared::cta;"), 30, "");
  CHECK(says(fault(unfenced, tensor), "and no fence.proxy.async stands between"));
}

TEST_CASE("hopper: tensor maps survive their 128 bytes") {
  const Tensor tensor{.rank = 5,
                      .element = TensorElement::f64,
                      .size = {1ULL << 32, 2, 3, 4, 5},
                      .box = {2, 256, 3, 4, 5},
                      .step = {1, 8, 2, 3, 4},
                      .swizzle = 32,
                      .nan_fill = true};
  const TensorMapFields map = tensor.map(nullptr);
  const auto decoded = decode_tensor_map(encode(map));
  REQUIRE(decoded.has_value());
  CHECK(*decoded == map);
  CHECK(!decode_tensor_map(EncodedTensorMap{}).has_value());
}

TEST_CASE("hopper: a multicast reaches every block of its cluster") {
  for (const Asynchrony asynchrony : {Asynchrony::lazy, Asynchrony::eager}) {
    // Block r loads rows 8r.. into both; each waits for all 16 rows.
    HopperRun run;
    run.options.asynchrony = asynchrony;
    run.grid = {.x = 4};
    run.cluster = {.x = 2};
    run.body = std::string(barrier) + initialize + R"(
      barrier.cluster.arrive.aligned; barrier.cluster.wait.aligned;
      mov.u32 %r31, %cluster_ctarank; mul.lo.u32 %r32, %r31, 1024; add.u32 %r33, %r32, %m; mul.lo.u32 %r34, %r31, 8;
      @%p1 mbarrier.arrive.expect_tx.shared::cta.b64 _, [%r30], 2048;
      mov.u16 %h0, 3;
      @%p1 cp.async.bulk.tensor.2d.shared::cluster.global.tile.mbarrier::complete_tx::bytes.multicast::cluster
        [%r33], [%map, {0, %r34}], [%r30], %h0;
)" + wait + "mov.u32 %r31, %ctaid.x; mul.wide.u32 %rd9, %r31, 2048; add.u64 %out, %out, %rd9;\n" +
               copy_out(2048) + "barrier.cluster.arrive.aligned; barrier.cluster.wait.aligned;\n";
    const Tensor tensor{.size = {64, 16}, .box = {64, 8}};
    run.in.resize(tensor.bytes());
    for (std::size_t i = 0; i < run.in.size(); ++i)
      run.in[i] = static_cast<std::byte>(i * 31 % 251 + 1);
    run.map = tensor.map(run.in.data());
    run.out.resize(4 * 2048);
    CHECK(run.fault() == "");
    for (std::size_t block = 0; block < 4; ++block) {
      for (std::size_t row = 0; row < 16; ++row)
        CHECK(std::memcmp(run.out.data() + block * 2048 + row * 128, run.in.data() + row * 144, 128) == 0);
    }
  }
}

TEST_CASE("hopper: a strict run wants an mbarrier published before bulk copies signal it") {
  // Warp 0 initializes, warp 1 copies.
  const auto fault = [](std::string_view before, std::string_view after, bool strict) {
    HopperRun run{.body = fmt::format(R"(
      setp.eq.u32 %p1, %t, 0; setp.eq.u32 %p3, %t, 32;
      @%p1 mbarrier.init.shared::cta.b64 [%m], 1;
      {} bar.sync 0; {}
      @%p3 mbarrier.arrive.expect_tx.shared::cta.b64 _, [%m], 256;
      @%p3 cp.async.bulk.shared::cta.global.mbarrier::complete_tx::bytes [%m+256], [%in], 256, [%m];
      W: mbarrier.try_wait.parity.shared::cta.b64 %p2, [%m], 0; @!%p2 bra W;
)",
                                      before, after),
                  .options = {.strict = strict}};
    run.in.resize(256);
    return run.fault();
  };
  constexpr std::string_view publish = "@%p1 fence.mbarrier_init.release.cluster;";
  constexpr std::string_view missing = "neither fence.mbarrier_init nor fence.proxy.async stands between";
  CHECK(fault(publish, "", true) == "");
  CHECK(fault("fence.proxy.async;", "", true) == "");
  CHECK(fault("", "fence.proxy.async;", true) == "");  // of whoever copies, after the barrier
  CHECK(says(fault("", "", true), missing));
  CHECK(says(fault("@%p1 fence.acq_rel.cta;", "", true), missing));
  CHECK(says(fault("", publish, true), missing));  // too late: warp 1 hears nothing of it
  CHECK(fault("", "", false) == "");
}
