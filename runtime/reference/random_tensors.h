// Call buffers for tests, verification and timing: seeded values, NaN-poisoned outputs, guards around every buffer.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>

#include "generator/problem.h"
#include "runtime/executor.h"
#include "runtime/reference/guarded_buffer.h"
#include "runtime/tensor.h"

namespace attentune {

// What stands in q, k, v and sink_logit.
enum class Values : std::uint8_t {
  normal,    // all N(0, 1)
  large,     // q, k N(0, 30), v N(0, 100), sink_logit N(0, 50): scores in the thousands, rows nearly one-hot
  negative,  // q > 0 > k, |q|, |k| as N(0, 12), sink_logit N(0, 500): scores so far below zero (about -90
             // sqrt(head_dim)) that every exp() vanishes where a row maximum starts at 0
  rising,    // q, k N(0, 4), but the first half of the keys 0: maxima of rows grow late, however bounded scores are
  counting,  // q = 0, sink_logit = 0, v[j][c] = (j mod head_dim_v == c): the output counts visible keys
};

struct BufferOptions {
  // Strides wider than the data; what lies between is NaN and must stay untouched in out and lse.
  bool padded = false;
  // Begin every tensor at an address that is a multiple of problem.alignment and of no more.
  bool least_aligned = false;
  // An inaccessible page directly behind each buffer (the guard region then stands only in front).
  bool guard_pages = false;
};

// Owns q, k, v, out, lse and sink_logit of one problem, in C order with every row at a multiple of problem.alignment
// (plain C order where the head dims are such multiples). Values depend on seed, tensor and logical index only: not on
// threads, strides or options.
class CallBuffers {
 public:
  explicit CallBuffers(const Problem& problem, BufferOptions options = {}, const DeviceMemory& memory = host_memory());

  [[nodiscard]] const Problem& problem() const noexcept { return problem_; }
  // lse.data is null unless problem.lse; sink_logit is null unless problem.sink_logit.
  [[nodiscard]] const AttentionTensors& tensors() const noexcept { return tensors_; }
  // The same as a kernel sees them: other pointers where kernels do not run in this process's memory.
  [[nodiscard]] const AttentionTensors& device_tensors() const noexcept { return device_tensors_; }

  void fill(std::uint64_t seed, Values values, Executor& executor);
  // Every byte of out and lse becomes 0xFF, which is NaN in every dtype.
  void poison();
  // Inputs to the device, after they were written through tensors(); fill() does it itself.
  void upload();
  // What launches have written to out, lse and all guards becomes visible through tensors(); they must have ended.
  void download();
  // "" when every guard and all padding is untouched, else the buffer's name and where: "out, 12 bytes behind its end".
  [[nodiscard]] std::string guard_damage() const;
  [[nodiscard]] bool guards_intact() const { return guard_damage().empty(); }
  // "" when every output (and LSE) has been written with something other than NaN, else where the first NaN stands.
  // Meant for finite inputs.
  [[nodiscard]] std::string first_nan() const;

 private:
  Problem problem_;
  AttentionTensors tensors_;
  AttentionTensors device_tensors_;
  GuardedBuffer q_, k_, v_, out_, lse_, sink_;
  bool has_padding_ = false;  // in out or lse
};

// A kernel's workspace: 256-byte aligned, guarded, filled with garbage (0xFF, NaN in every dtype).
class Workspace {
 public:
  explicit Workspace(std::size_t bytes, const DeviceMemory& memory = host_memory());
  // As a kernel sees it.
  [[nodiscard]] void* data() const noexcept { return buffer_.device_data(); }
  [[nodiscard]] std::size_t size() const noexcept { return buffer_.size(); }
  // Makes it garbage again, as a kernel must expect it.
  void spoil() { buffer_.fill_bytes(0xFF); }
  // Launches must have ended.
  [[nodiscard]] std::string guard_damage() {
    buffer_.download_guards();
    return buffer_.damage("workspace");
  }

 private:
  GuardedBuffer buffer_;
};

}  // namespace attentune
