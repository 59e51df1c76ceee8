// Keys are content (DESIGN promise 2): no path, no time, no order of a list.
#pragma once

#include <string>
#include <string_view>

#include "generator/arch.h"
#include "generator/config.h"
#include "generator/device_identity.h"
#include "generator/problem.h"
#include "generator/source.h"

namespace attentune {

// 64 lower-case hex digits.
[[nodiscard]] std::string sha256_hex(std::string_view bytes);

// The class part of a Problem: fields of reach `class_` that are not at their default, in table order. A score or mask
// enters by structure. "dtype=bf16 group=4 head_dim=128 mask=causal()&window(_,_)"
[[nodiscard]] std::string class_text(const Problem& problem);
// class_text without building text: for the hot path. Equal classes have equal hashes.
[[nodiscard]] std::uint64_t class_hash(const Problem& problem) noexcept;
// True iff class_text(a) == class_text(b), without building text.
[[nodiscard]] bool same_class(const Problem& a, const Problem& b) noexcept;

// SHA-256 over class text, Arch, family, compile part of the Config, SHA-256 of the rendered text and of its launch
// rules, compiler and options.
[[nodiscard]] std::string binary_key(const Problem& problem, const Arch& arch, std::string_view family,
                                     const Config& config, const Source& source, std::string_view compiler,
                                     std::string_view options);

// SHA-256 over class text, bucket text, DeviceIdentity and measurement policy.
[[nodiscard]] std::string tuning_key(const Problem& problem, const DeviceIdentity& device, std::string_view policy);

}  // namespace attentune
