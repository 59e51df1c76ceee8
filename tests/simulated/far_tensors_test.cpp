// Tensors whose last rows lie more than 2^32 elements behind their first ones, so that an offset of 32 bits is too
// small even in pairs of elements. The tensors are sparse: only the pages that hold rows become memory.
#include <doctest/doctest.h>
#include <sys/mman.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "generator/forward_mma.h"
#include "generator/forward_wgmma.h"
#include "runtime/reference/random_tensors.h"
#include "runtime/reference/verify.h"
#include "tests/simulated/simulated.h"

using namespace attentune;

namespace {

using Three = std::array<std::int64_t, 3>;

constexpr std::int64_t reach = std::int64_t{1} << 32;  // elements
constexpr double all_rows = 1e12;

// The elements that three counts and strides reach, with `inner` contiguous ones at each place.
struct Places {
  Three count;
  std::int64_t inner;
  std::size_t element;

  [[nodiscard]] std::size_t span(const Three& stride) const {
    std::int64_t last = inner;
    for (std::size_t n = 0; n < 3; ++n)
      last += (count[n] - 1) * stride[n];
    return static_cast<std::size_t>(last) * element;
  }
  // `near` with another stride of one dimension: its last index stands beyond `reach`.
  [[nodiscard]] Three far(const Three& near, const std::size_t dimension) const {
    Three stride = near;
    stride[dimension] = (reach / (count[dimension] - 1) / 64 + 1) * 64;
    return stride;
  }
  void copy(void* to, const Three& to_stride, const void* from, const Three& from_stride) const {
    for (std::int64_t a = 0; a < count[0]; ++a) {
      for (std::int64_t b = 0; b < count[1]; ++b) {
        for (std::int64_t c = 0; c < count[2]; ++c) {
          const auto at = [&](const Three& stride) {
            return static_cast<std::size_t>(a * stride[0] + b * stride[1] + c * stride[2]) * element;
          };
          std::memcpy(static_cast<std::byte*>(to) + at(to_stride),
                      static_cast<const std::byte*>(from) + at(from_stride), static_cast<std::size_t>(inner) * element);
        }
      }
    }
  }
};

// Zeros that cost memory only where something is written.
class SparseMemory {
 public:
  explicit SparseMemory(const std::size_t bytes)
      : bytes_(bytes),
        data_(mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0)) {}
  SparseMemory(const SparseMemory&) = delete;
  SparseMemory& operator=(const SparseMemory&) = delete;
  ~SparseMemory() {
    if (data() != nullptr)
      munmap(data_, bytes_);
  }
  [[nodiscard]] void* data() const { return data_ == MAP_FAILED ? nullptr : data_; }

 private:
  std::size_t bytes_;
  void* data_;
};

// Every operand of `near` once more, far apart in one dimension: 0 batch, 1 row, 2 head.
class FarTensors {
 public:
  FarTensors(const Problem& p, const AttentionTensors& near, const std::size_t dimension)
      : near_(near), tensors_(near), dimension_(dimension) {
    const auto rows = [&](const std::int64_t len, const std::int64_t heads, const std::int64_t dim) {
      return Places{.count = {p.batch, len, heads}, .inner = dim, .element = size_of(p.q)};
    };
    move(tensors_.q, rows(p.len_q, p.heads_q, p.head_dim_qk));
    move(tensors_.k, rows(p.len_kv, p.heads_kv, p.head_dim_qk));
    move(tensors_.v, rows(p.len_kv, p.heads_kv, p.head_dim_v));
    out_ = rows(p.len_q, p.heads_q, p.head_dim_v);
    move(tensors_.out, out_);
    // Batch, head, row.
    lse_ = {.count = {p.batch, p.heads_q, p.len_q}, .inner = 1, .element = sizeof(float)};
    tensors_.lse.stride = lse_.far(near.lse.stride, dimension == 0 ? 0 : 3 - dimension);
    tensors_.lse.data = static_cast<float*>(map(lse_.span(tensors_.lse.stride)));
    if (tensors_.lse.data != nullptr)
      lse_.copy(tensors_.lse.data, tensors_.lse.stride, near.lse.data, near.lse.stride);
  }

  [[nodiscard]] bool exist() const {
    return tensors_.q.data != nullptr && tensors_.k.data != nullptr && tensors_.v.data != nullptr &&
           tensors_.out.data != nullptr && tensors_.lse.data != nullptr;
  }
  [[nodiscard]] const AttentionTensors& tensors() const { return tensors_; }
  // To where they came from.
  void bring_results_back() const {
    out_.copy(near_.out.data, near_.out.stride, tensors_.out.data, tensors_.out.stride);
    lse_.copy(near_.lse.data, near_.lse.stride, tensors_.lse.data, tensors_.lse.stride);
  }

 private:
  void* map(const std::size_t bytes) { return memory_.emplace_back(std::make_unique<SparseMemory>(bytes))->data(); }
  void move(TensorView& view, const Places& places) {
    const TensorView near = view;
    view.stride = places.far(near.stride, dimension_);
    view.data = map(places.span(view.stride));
    if (view.data != nullptr)
      places.copy(view.data, view.stride, near.data, near.stride);
  }

  AttentionTensors near_;
  AttentionTensors tensors_;
  std::size_t dimension_;
  Places out_{};
  Places lse_{};
  std::vector<std::unique_ptr<SparseMemory>> memory_;
};

void check_far(const KernelFamily& family, const std::string& simulator, const Config& config) {
  const auto device = open_or_skip(simulator);
  if (!device)
    return;
  const Problem problem =
      parse_problem("dtype=bf16 batch=2 heads=4/2 head_dim=64 seq=96 mask=causal() outputs=out,lse");
  const auto executor = make_pool(0);
  const auto kernel = load(device, family, problem, config);
  for (const std::size_t dimension : {0U, 1U, 2U}) {
    CAPTURE(to_text(config));
    CAPTURE(dimension);
    CallBuffers buffers(problem);
    buffers.fill(1, Values::normal, *executor);
    buffers.poison();
    const FarTensors far(problem, buffers.tensors(), dimension);
    if (!far.exist()) {
      MESSAGE("skipped: this process may not reserve some 60 GB of addresses");
      return;
    }
    const Workspace workspace(kernel->workspace_bytes(problem));
    kernel->bind(problem, far.tensors(), workspace.data(), workspace.size()).launch();
    far.bring_results_back();
    const Verdict verdict = check_result(problem, buffers.tensors(), *executor, all_rows);
    CHECK_MESSAGE(verdict.passed, verdict.sentence);
  }
}

}  // namespace

// Without race checks, whose shadows of the outputs would not be sparse.
TEST_CASE("forward_mma reaches tensors beyond 2^32 elements") {
  const ForwardMma family;
  for (const char* const splits : {"1", "2"})
    check_far(family, "sim:sm_80,no-races",
              parse_config(std::string("tile_m=64 tile_n=32 warps=4x1 stages=2 q=shared pack=no swizzle=xor "
                                       "min_blocks=3 | splits=") +
                           splits + " order=0"));
}

TEST_CASE("forward_wgmma reaches tensors beyond 2^32 elements") {
  const ForwardWgmma family;
  for (const char* const pack : {"no", "yes"})
    for (const auto& [store, splits] : {std::pair{"copy", 1}, {"threads", 1}, {"threads", 2}})
      check_far(family, "sim:sm_90a,no-races",
                parse_config(fmt::format("tile_m=64 pack={} tile_n=64 stages_k=2 stages_v=2 overlap=yes turns=no "
                                         "rescale=lazy store={} | splits={} order=0",
                                         pack, store, splits)));
}
