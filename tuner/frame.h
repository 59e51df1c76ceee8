// Frame: what travels between the tuner and its worker. Little-endian:
//
//   u32 bytes that follow | u32 bytes of JSON | JSON | blob
//
// The parser is pure and takes any bytes; reading and writing keep a deadline and survive signals.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

namespace attentune {

struct Frame {
  std::string json;
  std::vector<std::uint8_t> blob;

  bool operator==(const Frame&) const = default;
};

// A frame over these is hostile or damaged; an object is some 100 KiB, a log some KiB.
inline constexpr std::size_t max_frame_bytes = std::size_t{256} << 20;
inline constexpr std::size_t max_frame_json_bytes = std::size_t{16} << 20;

// Throws Error(internal) for a frame over the limits.
[[nodiscard]] std::vector<std::uint8_t> to_bytes(const Frame& frame);

struct FrameParse {
  enum class State : std::uint8_t { complete, incomplete, malformed };
  State state = State::incomplete;
  Frame frame;               // when complete
  std::size_t consumed = 0;  // bytes of it when complete; otherwise the bytes needed to go on (a lower bound)
  std::string reason;        // when malformed
};
[[nodiscard]] FrameParse parse_frame(std::span<const std::uint8_t> bytes);

enum class Transfer : std::uint8_t { done, end, timed_out, failed, cancelled };

struct FrameRead {
  Transfer transfer = Transfer::failed;
  Frame frame;
  std::string reason;  // when failed
};
// Blocks for at most deadline_s seconds (negative: without end), or until a tenth of a second after `cancelled`, which
// may be null, has become true. `end` is a close between two frames or within one. The descriptor is a socket or a
// pipe.
[[nodiscard]] FrameRead read_frame(int descriptor, double deadline_s, const std::atomic<bool>* cancelled = nullptr);
// Sockets only: a closed peer is `end`, never SIGPIPE.
[[nodiscard]] Transfer write_frame(int descriptor, const Frame& frame, double deadline_s,
                                   const std::atomic<bool>* cancelled = nullptr);

}  // namespace attentune
