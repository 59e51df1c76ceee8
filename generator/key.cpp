#include "generator/key.h"

#include <array>

#include <fmt/format.h>
#include <nettle/sha2.h>

#include "generator/bucket.h"

namespace attentune {
namespace {

void append(std::string& text, const std::string& word) {
  if (word.empty())
    return;
  if (!text.empty())
    text += ' ';
  text += word;
}

// One step of a 64-bit mix (splitmix64's finalizer, Steele et al. 2014) over everything so far.
std::uint64_t mix(std::uint64_t state, std::uint64_t value) noexcept {
  std::uint64_t x = state ^ (value + 0x9e3779b97f4a7c15u + (state << 6) + (state >> 2));
  x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9u;
  x = (x ^ (x >> 27)) * 0x94d049bb133111ebu;
  return x ^ (x >> 31);
}

// Everything of reach class_ that is a small number, packed without overlap.
std::uint64_t packed_class(const Problem& p) noexcept {
  std::uint64_t bits = 0;
  const auto push = [&](std::uint64_t value, int width) { bits = (bits << width) | value; };
  push(static_cast<std::uint64_t>(p.pass), 2);
  push(static_cast<std::uint64_t>(p.q), 3);
  push(static_cast<std::uint64_t>(p.k), 3);
  push(static_cast<std::uint64_t>(p.v), 3);
  push(static_cast<std::uint64_t>(p.out), 3);
  push(static_cast<std::uint64_t>(p.layout), 2);
  push(p.lse ? 1 : 0, 1);
  push(p.sink_logit ? 1 : 0, 1);
  push(static_cast<std::uint64_t>(p.alignment), 5);
  return bits;
}

bool same_structure(const Structure& a, const Structure& b) noexcept {
  return &a == &b || (a.hash == b.hash && a.text == b.text);
}

}  // namespace

std::string sha256_hex(std::string_view bytes) {
  sha256_ctx context;
  sha256_init(&context);
  sha256_update(&context, bytes.size(), reinterpret_cast<const std::uint8_t*>(bytes.data()));
  std::array<std::uint8_t, SHA256_DIGEST_SIZE> digest{};
  sha256_digest(&context, digest.size(), digest.data());
  return fmt::format("{:02x}", fmt::join(digest, ""));
}

std::string class_text(const Problem& problem) {
  std::string text;
  for (const ProblemField& field : problem_fields())
    append(text, field.class_text(problem));
  return text;
}

std::uint64_t class_hash(const Problem& p) noexcept {
  std::uint64_t hash = mix(0, packed_class(p));
  hash = mix(hash, static_cast<std::uint64_t>(p.group()));
  hash = mix(hash, static_cast<std::uint64_t>(p.head_dim_qk));
  hash = mix(hash, static_cast<std::uint64_t>(p.head_dim_v));
  hash = mix(hash, static_cast<std::uint64_t>(p.page_size));
  hash = mix(hash, p.mask.structure->hash);
  return mix(hash, p.score.structure->hash);
}

bool same_class(const Problem& a, const Problem& b) noexcept {
  return packed_class(a) == packed_class(b) && a.group() == b.group() && a.head_dim_qk == b.head_dim_qk &&
         a.head_dim_v == b.head_dim_v && a.page_size == b.page_size &&
         same_structure(*a.mask.structure, *b.mask.structure) && same_structure(*a.score.structure, *b.score.structure);
}

std::string binary_key(const Problem& problem, const Arch& arch, std::string_view family, const Config& config,
                       const Source& source, std::string_view compiler, std::string_view options) {
  return sha256_hex(
      fmt::format("class {}\narch {}\nfamily {}\nconfig {}\nsource {}\nlaunches {}\ncompiler {}\noptions {}\n",
                  class_text(problem), to_text(arch), family, config.compile_text(), sha256_hex(source.text),
                  sha256_hex(to_text(source.launches)), compiler, options));
}

std::string tuning_key(const Problem& problem, const DeviceIdentity& device, std::string_view policy) {
  return sha256_hex(fmt::format("class {}\nbucket {}\ndevice {}\npolicy {}\n", class_text(problem),
                                to_text(bucket_of(problem)), to_text(device), policy));
}

}  // namespace attentune
