// Any bytes on the worker's pipe: a frame, a message, or a refusal; never more.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <span>

#include "generator/error.h"
#include "tuner/frame.h"
#include "tuner/protocol.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, const std::size_t size) {
  const std::span<const std::uint8_t> bytes(data, size);
  const attentune::FrameParse parse = attentune::parse_frame(bytes);
  if (parse.state == attentune::FrameParse::State::incomplete) {
    if (parse.consumed <= size) {
      std::abort();
    }
    return 0;
  }
  if (parse.state == attentune::FrameParse::State::malformed) {
    return 0;
  }
  const auto again = attentune::parse_frame(attentune::to_bytes(parse.frame));
  if (again.frame != parse.frame || parse.consumed > size) {
    std::abort();
  }
  try {
    (void)attentune::to_frame(attentune::parse_request(parse.frame));
  } catch (const attentune::RefusalError&) {
  }
  try {
    (void)attentune::to_frame(attentune::parse_reply(parse.frame));
  } catch (const attentune::RefusalError&) {
  }
  return 0;
}
