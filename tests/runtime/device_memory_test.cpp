#include "runtime/device_memory.h"

#include <doctest/doctest.h>

#include <cmath>
#include <cstdlib>
#include <cstring>
#include <set>

#include "runtime/reference/random_tensors.h"
#include "runtime/reference/reference.h"
#include "runtime/reference/row_groups.h"
#include "runtime/reference/verify.h"

using namespace attentune;

namespace {

// Memory that the buffers must not touch but by copies: what is written to it shows nowhere else.
class FarMemory final : public DeviceMemory {
 public:
  ~FarMemory() override { CHECK(alive_.empty()); }
  [[nodiscard]] bool is_own_process() const noexcept override { return false; }
  [[nodiscard]] void* allocate(const std::size_t bytes) const override {
    void* const memory = host_memory().allocate(bytes);
    alive_.insert(memory);
    return memory;
  }
  void release(void* const memory) const noexcept override {
    alive_.erase(memory);
    host_memory().release(memory);
  }
  void copy_in(void* to, const void* from, std::size_t bytes) const override { std::memcpy(to, from, bytes); }
  void copy_out(void* to, const void* from, std::size_t bytes) const override { std::memcpy(to, from, bytes); }
  void fill(void* to, std::uint8_t byte, std::size_t bytes) const override { std::memset(to, byte, bytes); }

 private:
  mutable std::set<void*> alive_;
};

Problem small() { return parse_problem("dtype=f16 heads=2/1 head_dim=16 seq=20/30 mask=causal() outputs=out,lse"); }

// Computes on the tensors it is given, wherever they lie.
void attend(const Problem& problem, const AttentionTensors& tensors) {
  const std::vector<Row> rows = all_rows(problem);
  const ExactRows exact = exact_attention(problem, tensors, rows, inline_executor());
  const auto columns = static_cast<std::size_t>(problem.head_dim_v);
  for (std::size_t r = 0; r < rows.size(); ++r) {
    const std::int64_t offset = row_offset(tensors.out, rows[r].batch, rows[r].query, rows[r].head);
    for (std::size_t c = 0; c < columns; ++c)
      store_element(tensors.out.data, offset + static_cast<std::int64_t>(c), tensors.out.dtype,
                    static_cast<float>(exact.out[r * columns + c]));
    const auto& stride = tensors.lse.stride;
    tensors.lse.data[rows[r].batch * stride[0] + rows[r].head * stride[1] + rows[r].query * stride[2]] =
        static_cast<float>(exact.lse[r]);
  }
}

}  // namespace

TEST_CASE("host memory is aligned, and an empty buffer is null") {
  const DeviceBuffer buffer(host_memory(), 100);
  CHECK(reinterpret_cast<std::uintptr_t>(buffer.data()) % 256 == 0);
  CHECK(DeviceBuffer(host_memory(), 0).data() == nullptr);
}

TEST_CASE("on the host a kernel sees the very tensors") {
  const CallBuffers buffers(small());
  CHECK(buffers.device_tensors().q.data == buffers.tensors().q.data);
  CHECK(buffers.device_tensors().lse.data == buffers.tensors().lse.data);
}

TEST_CASE("values, poison and results travel, as aligned as they were") {
  const FarMemory memory;
  for (const BufferOptions options : {BufferOptions{}, BufferOptions{.padded = true, .least_aligned = true}}) {
    CallBuffers buffers(small(), options, memory);
    const AttentionTensors& here = buffers.tensors();
    const AttentionTensors& there = buffers.device_tensors();
    REQUIRE(there.q.data != here.q.data);
    CHECK(there.k.stride == here.k.stride);
    for (const auto& [far, near] : {std::pair(there.q.data, here.q.data), std::pair(there.out.data, here.out.data)})
      CHECK(reinterpret_cast<std::uintptr_t>(far) % 256 == reinterpret_cast<std::uintptr_t>(near) % 256);
    buffers.fill(3, Values::normal, inline_executor());
    CHECK(load_element(there.v.data, 7, Dtype::f16) == load_element(here.v.data, 7, Dtype::f16));
    store_element(there.out.data, 0, Dtype::f16, 2.5F);
    CHECK(std::isnan(load_element(here.out.data, 0, Dtype::f16)));
    buffers.download();
    CHECK(load_element(here.out.data, 0, Dtype::f16) == 2.5F);
    buffers.poison();
    CHECK(std::isnan(load_element(there.out.data, 0, Dtype::f16)));
    CHECK(buffers.guards_intact());
  }
}

TEST_CASE("a write outside there is found here") {
  const FarMemory memory;
  CallBuffers buffers(small(), {}, memory);
  static_cast<std::uint8_t*>(buffers.device_tensors().k.data)[-1] = 0;
  CHECK(buffers.guards_intact());
  buffers.download();
  CHECK(buffers.guard_damage() == "k, 1 bytes before its start");

  Workspace workspace(100, memory);
  static_cast<std::uint8_t*>(workspace.data())[100] = 0;
  CHECK(workspace.guard_damage() == "workspace, 1 bytes behind its end");
}

TEST_CASE("verification reads what the kernel left in its own memory") {
  const FarMemory memory;
  Verifier verifier(inline_executor(), memory);
  const Verdict right = verifier.verify(small(), attend);
  CAPTURE(right.sentence);
  CHECK(right.passed);
  const Verdict wrong = verifier.verify(small(), [](const Problem& problem, const AttentionTensors& tensors) {
    attend(problem, tensors);
    if (problem.len_q > 0)
      store_element(tensors.out.data, 2, tensors.out.dtype, 1e3F);
  });
  CHECK_FALSE(wrong.passed);
  CHECK(wrong.sentence.find("column 2") != std::string::npos);
}
