#include "tuner/frame.h"

#include <doctest/doctest.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <thread>
#include <utility>

#include "generator/error.h"

using namespace attentune;

namespace {

struct Sockets {
  std::array<int, 2> ends{-1, -1};
  Sockets() { REQUIRE(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends.data()) == 0); }
  ~Sockets() {
    close_one(0);
    close_one(1);
  }
  Sockets(const Sockets&) = delete;
  Sockets& operator=(const Sockets&) = delete;
  void close_one(const std::size_t n) {
    if (ends.at(n) >= 0) {
      close(std::exchange(ends.at(n), -1));
    }
  }
};

std::vector<std::uint8_t> header(const std::uint32_t following, const std::uint32_t json) {
  std::vector<std::uint8_t> bytes;
  for (const std::uint32_t word : {following, json}) {
    for (unsigned n = 0; n < 4; ++n) {
      bytes.push_back(static_cast<std::uint8_t>(word >> (8 * n)));
    }
  }
  return bytes;
}

}  // namespace

TEST_CASE("a frame comes back from its bytes, and every shorter prefix is incomplete") {
  const Frame frame{.json = R"({"type":"x"})", .blob = {0, 255, 7}};
  const auto bytes = to_bytes(frame);
  const FrameParse whole = parse_frame(bytes);
  CHECK(whole.state == FrameParse::State::complete);
  CHECK(whole.frame == frame);
  CHECK(whole.consumed == bytes.size());
  for (std::size_t n = 0; n < bytes.size(); ++n) {
    const FrameParse part = parse_frame(std::span(bytes).first(n));
    CHECK(part.state == FrameParse::State::incomplete);
    CHECK(part.consumed > n);
    CHECK(part.consumed <= bytes.size());
  }
}

TEST_CASE("bytes after a frame are left alone") {
  auto bytes = to_bytes({.json = "{}", .blob = {}});
  const std::size_t size = bytes.size();
  bytes.push_back(9);
  CHECK(parse_frame(bytes).consumed == size);
}

TEST_CASE("hostile lengths are refused before anything is allocated for them") {
  CHECK(parse_frame(header(0xFFFFFFFF, 0)).state == FrameParse::State::malformed);
  CHECK(parse_frame(header(1000, 0xFFFFFFFF)).state == FrameParse::State::malformed);
  CHECK(parse_frame(header(0, 0)).state == FrameParse::State::malformed);
  CHECK(parse_frame(header(3, 0)).state == FrameParse::State::malformed);
  CHECK(parse_frame(header(8, 5)).state == FrameParse::State::malformed);
  CHECK(parse_frame(header(4, 0)).state == FrameParse::State::complete);
  CHECK(parse_frame(header(8, 4)).state == FrameParse::State::incomplete);
}

TEST_CASE("a frame over the limit is not sent") {
  CHECK_THROWS_AS((void)to_bytes({.json = std::string(max_frame_json_bytes + 1, 'x'), .blob = {}}), Error);
}

TEST_CASE("a large frame crosses a socket in pieces") {
  Sockets sockets;
  Frame frame{.json = "{}", .blob = std::vector<std::uint8_t>(std::size_t{5} << 20)};
  for (std::size_t n = 0; n < frame.blob.size(); ++n) {
    frame.blob[n] = static_cast<std::uint8_t>(n * 31 >> 3);
  }
  std::jthread writer([&] { CHECK(write_frame(sockets.ends[0], frame, 30) == Transfer::done); });
  const FrameRead read = read_frame(sockets.ends[1], 30);
  CHECK(read.transfer == Transfer::done);
  CHECK(read.frame == frame);
}

TEST_CASE("one read takes one frame") {
  Sockets sockets;
  CHECK(write_frame(sockets.ends[0], {.json = "1", .blob = {}}, 1) == Transfer::done);
  CHECK(write_frame(sockets.ends[0], {.json = "2", .blob = {}}, 1) == Transfer::done);
  CHECK(read_frame(sockets.ends[1], 1).frame.json == "1");
  CHECK(read_frame(sockets.ends[1], 1).frame.json == "2");
}

TEST_CASE("silence, an end and damage are told apart") {
  Sockets sockets;
  CHECK(read_frame(sockets.ends[1], 0.01).transfer == Transfer::timed_out);

  SUBCASE("a close between frames") {
    sockets.close_one(0);
    CHECK(read_frame(sockets.ends[1], 1).transfer == Transfer::end);
  }
  SUBCASE("a close within a frame") {
    const auto bytes = to_bytes({.json = "{}", .blob = {1, 2, 3}});
    REQUIRE(write(sockets.ends[0], bytes.data(), bytes.size() - 1) > 0);
    sockets.close_one(0);
    CHECK(read_frame(sockets.ends[1], 1).transfer == Transfer::end);
  }
  SUBCASE("a stop within a frame") {
    const auto bytes = header(100, 4);
    REQUIRE(write(sockets.ends[0], bytes.data(), bytes.size()) > 0);
    CHECK(read_frame(sockets.ends[1], 0.01).transfer == Transfer::timed_out);
  }
  SUBCASE("lengths that cannot be") {
    const auto bytes = header(1, 1);
    REQUIRE(write(sockets.ends[0], bytes.data(), bytes.size()) > 0);
    const FrameRead read = read_frame(sockets.ends[1], 1);
    CHECK(read.transfer == Transfer::failed);
    CHECK_FALSE(read.reason.empty());
  }
  SUBCASE("writing to a closed peer is an end, not a signal") {
    sockets.close_one(1);
    CHECK(write_frame(sockets.ends[0], {.json = "{}", .blob = {}}, 1) == Transfer::end);
  }
  SUBCASE("writing to a peer that never reads ends at the deadline") {
    const Frame large{.json = "{}", .blob = std::vector<std::uint8_t>(std::size_t{16} << 20)};
    CHECK(write_frame(sockets.ends[0], large, 0.05) == Transfer::timed_out);
  }
  SUBCASE("a flag ends what waits") {
    std::atomic<bool> cancelled = false;
    const std::jthread later([&] {
      std::this_thread::sleep_for(std::chrono::milliseconds(50));
      cancelled = true;
    });
    CHECK(read_frame(sockets.ends[1], 60, &cancelled).transfer == Transfer::cancelled);
    CHECK(write_frame(sockets.ends[0], {.json = "{}", .blob = {}}, 60, &cancelled) == Transfer::cancelled);
  }
}
