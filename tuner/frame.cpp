#include "tuner/frame.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <climits>
#include <cmath>
#include <cstring>
#include <limits>

#include "generator/error.h"
#include "tuner/sampler.h"

namespace attentune {

namespace {

constexpr std::size_t word_bytes = 4;
constexpr std::size_t header_bytes = 2 * word_bytes;

std::size_t read_word(const std::span<const std::uint8_t> bytes, const std::size_t at) {
  std::size_t value = 0;
  for (std::size_t n = 0; n < word_bytes; ++n) {
    value |= static_cast<std::size_t>(bytes[at + n]) << (8 * n);
  }
  return value;
}

void append_word(std::vector<std::uint8_t>& bytes, const std::size_t value) {
  for (std::size_t n = 0; n < word_bytes; ++n) {
    bytes.push_back(static_cast<std::uint8_t>(value >> (8 * n)));
  }
}

// Whoever sets a flag wakes nobody, so it is looked at this often.
constexpr double flag_interval_ms = 100;

// How long a transfer may wait.
class Patience {
 public:
  Patience(const double deadline_s, const std::atomic<bool>* const cancelled)
      : end_ms_(deadline_s < 0 ? std::numeric_limits<double>::infinity() : monotonic_ms() + deadline_s * 1000),
        cancelled_(cancelled) {}

  // Waits until the descriptor is ready. A close or an error is ready too: the transfer that follows tells which.
  [[nodiscard]] Transfer wait_for(const int descriptor, const short events) const {
    for (;;) {
      if (cancelled_ != nullptr && cancelled_->load()) {
        return Transfer::cancelled;
      }
      const double left_ms = std::max(end_ms_ - monotonic_ms(), 0.0);
      const double slice_ms = std::min<double>(left_ms, cancelled_ != nullptr ? flag_interval_ms : INT_MAX);
      pollfd entry{.fd = descriptor, .events = events, .revents = 0};
      const int ready = poll(&entry, 1, static_cast<int>(std::ceil(slice_ms)));
      if (ready > 0) {
        return Transfer::done;
      }
      if (ready < 0 && errno != EINTR) {
        return Transfer::failed;
      }
      if (left_ms == 0) {
        return Transfer::timed_out;
      }
    }
  }

 private:
  double end_ms_;
  const std::atomic<bool>* cancelled_;
};

Transfer read_exactly(const int descriptor, const std::span<std::uint8_t> bytes, const Patience& patience) {
  std::size_t done = 0;
  while (done < bytes.size()) {
    const Transfer ready = patience.wait_for(descriptor, POLLIN);
    if (ready != Transfer::done) {
      return ready;
    }
    const ssize_t got = read(descriptor, bytes.data() + done, bytes.size() - done);
    if (got > 0) {
      done += static_cast<std::size_t>(got);
    } else if (got == 0 || errno == ECONNRESET) {
      return Transfer::end;
    } else if (errno != EINTR && errno != EAGAIN) {
      return Transfer::failed;
    }
  }
  return Transfer::done;
}

}  // namespace

std::vector<std::uint8_t> to_bytes(const Frame& frame) {
  if (frame.json.size() > max_frame_json_bytes ||
      frame.json.size() + frame.blob.size() > max_frame_bytes - word_bytes) {
    throw Error(Status::internal, "a message between tuner and worker is larger than its limit");
  }
  std::vector<std::uint8_t> bytes;
  bytes.reserve(header_bytes + frame.json.size() + frame.blob.size());
  append_word(bytes, word_bytes + frame.json.size() + frame.blob.size());
  append_word(bytes, frame.json.size());
  bytes.insert(bytes.end(), frame.json.begin(), frame.json.end());
  bytes.insert(bytes.end(), frame.blob.begin(), frame.blob.end());
  return bytes;
}

FrameParse parse_frame(const std::span<const std::uint8_t> bytes) {
  const auto malformed = [](const char* reason) {
    return FrameParse{.state = FrameParse::State::malformed, .frame = {}, .consumed = 0, .reason = reason};
  };
  if (bytes.size() < header_bytes) {
    return {.state = FrameParse::State::incomplete, .frame = {}, .consumed = header_bytes, .reason = {}};
  }
  // Lengths are judged before a byte is allocated for them.
  const std::size_t following = read_word(bytes, 0);
  const std::size_t json_bytes = read_word(bytes, word_bytes);
  if (following > max_frame_bytes) {
    return malformed("the frame's length is over its limit");
  }
  if (json_bytes > max_frame_json_bytes) {
    return malformed("the frame's JSON is over its limit");
  }
  if (following < word_bytes || json_bytes > following - word_bytes) {
    return malformed("the frame's JSON is longer than the frame");
  }
  const std::size_t whole = word_bytes + following;
  if (bytes.size() < whole) {
    return {.state = FrameParse::State::incomplete, .frame = {}, .consumed = whole, .reason = {}};
  }
  const auto json = bytes.subspan(header_bytes, json_bytes);
  const auto blob = bytes.subspan(header_bytes + json_bytes, whole - header_bytes - json_bytes);
  return {.state = FrameParse::State::complete,
          .frame = {.json = std::string(json.begin(), json.end()), .blob = {blob.begin(), blob.end()}},
          .consumed = whole,
          .reason = {}};
}

FrameRead read_frame(const int descriptor, const double deadline_s, const std::atomic<bool>* const cancelled) {
  const Patience patience(deadline_s, cancelled);
  std::vector<std::uint8_t> bytes;
  for (;;) {
    FrameParse parse = parse_frame(bytes);
    if (parse.state == FrameParse::State::complete) {
      return {.transfer = Transfer::done, .frame = std::move(parse.frame), .reason = {}};
    }
    if (parse.state == FrameParse::State::malformed) {
      return {.transfer = Transfer::failed, .frame = {}, .reason = std::move(parse.reason)};
    }
    // Exactly one frame is read, so nothing of the next one need be kept.
    const std::size_t known = bytes.size();
    bytes.resize(parse.consumed);
    const Transfer transfer = read_exactly(descriptor, std::span(bytes).subspan(known), patience);
    if (transfer != Transfer::done) {
      return {.transfer = transfer,
              .frame = {},
              .reason = transfer == Transfer::failed ? std::strerror(errno) : std::string()};
    }
  }
}

Transfer write_frame(const int descriptor, const Frame& frame, const double deadline_s,
                     const std::atomic<bool>* const cancelled) {
  const Patience patience(deadline_s, cancelled);
  const std::vector<std::uint8_t> bytes = to_bytes(frame);
  std::size_t done = 0;
  while (done < bytes.size()) {
    const Transfer ready = patience.wait_for(descriptor, POLLOUT);
    if (ready != Transfer::done) {
      return ready;
    }
    const ssize_t sent = send(descriptor, bytes.data() + done, bytes.size() - done, MSG_NOSIGNAL | MSG_DONTWAIT);
    if (sent >= 0) {
      done += static_cast<std::size_t>(sent);
    } else if (errno == EPIPE || errno == ECONNRESET) {
      return Transfer::end;
    } else if (errno != EINTR && errno != EAGAIN) {
      return Transfer::failed;
    }
  }
  return Transfer::done;
}

}  // namespace attentune
