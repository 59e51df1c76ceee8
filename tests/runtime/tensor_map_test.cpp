// Operands of any strides as tensor maps, whose strides are above 0.
#include "runtime/tensor_map.h"

#include <doctest/doctest.h>

#include <array>
#include <cstdint>
#include <string>

#include "generator/error.h"

using namespace attentune;

namespace {

constexpr std::uintptr_t base = 0x100000;

const TensorMapSpec keys{.tensor = "k", .box = {"64", "1", "16", "1"}, .swizzle = "128"};

// Of K with these strides of batch, row and head, in elements of 2 bytes.
TensorMapShape shape_of(const std::string& problem, const std::array<std::int64_t, 3>& stride) {
  const Problem p = parse_problem(problem);
  AttentionTensors tensors = contiguous(p);
  tensors.k.data = reinterpret_cast<void*>(base);
  tensors.out.data = reinterpret_cast<void*>(std::uintptr_t{0x900000});
  tensors.k.stride = stride;
  return tensor_map_shape(keys, p, tensors, {});
}

std::uintptr_t address_of(const TensorMapShape& shape) { return reinterpret_cast<std::uintptr_t>(shape.address); }

using Sizes = std::array<std::uint64_t, 4>;
using Strides = std::array<std::uint64_t, 3>;

const std::string three_by_four = "dtype=bf16 batch=3 heads=4 head_dim=64 seq=100";

}  // namespace

TEST_CASE("a tensor map has the operand's sizes, and strides in bytes") {
  const TensorMapShape shape = shape_of(three_by_four, {25600, 256, 64});
  CHECK(address_of(shape) == base);
  CHECK(shape.dtype == Dtype::bf16);
  CHECK(shape.size == Sizes{64, 4, 100, 3});
  CHECK(shape.stride_bytes == Strides{128, 512, 51200});
  CHECK(shape.box == std::array<std::uint32_t, 4>{64, 1, 16, 1});
  CHECK(shape.swizzle_bytes == 128);
}

TEST_CASE("heads or batches that share their rows are one in the map") {
  const TensorMapShape heads = shape_of(three_by_four, {6400, 64, 0});
  CHECK(address_of(heads) == base);
  CHECK(heads.size == Sizes{64, 1, 100, 3});
  CHECK(heads.stride_bytes == Strides{128, 128, 12800});
  const TensorMapShape batches = shape_of(three_by_four, {0, 256, 64});
  CHECK(batches.size == Sizes{64, 4, 100, 1});
  CHECK(batches.stride_bytes == Strides{128, 512, 51200});
}

TEST_CASE("a map of descending heads or batches begins at the last") {
  const TensorMapShape heads = shape_of(three_by_four, {25600, 256, -64});
  CHECK(address_of(heads) == base - 3 * 128);
  CHECK(heads.size == Sizes{64, 4, 100, 3});
  CHECK(heads.stride_bytes == Strides{128, 512, 51200});
  const TensorMapShape both = shape_of(three_by_four, {-25600, 256, -64});
  CHECK(address_of(both) == base - 3 * 128 - 2 * 51200);
  CHECK(both.stride_bytes == Strides{128, 512, 51200});
}

TEST_CASE("a stride that is never used may be anything") {
  const TensorMapShape shape = shape_of("dtype=bf16 batch=1 heads=1 head_dim=64 seq=100", {-7, 64, INT64_MIN});
  CHECK(address_of(shape) == base);
  CHECK(shape.size == Sizes{64, 1, 100, 1});
  CHECK(shape.stride_bytes == Strides{128, 128, 12800});
  // What lies inside it may be more than a map's strides can be.
  const TensorMapShape far = shape_of("dtype=bf16 batch=1 heads=4 head_dim=64 seq=1", {0, 0, std::int64_t{1} << 37});
  CHECK(far.stride_bytes == Strides{1ULL << 38, (1ULL << 40) - 16, (1ULL << 40) - 16});
  // Without keys the operand has no elements, and one of the output's is described.
  const TensorMapShape empty = shape_of("dtype=bf16 batch=3 heads=4 head_dim=64 seq=100/0", {-7, -7, -7});
  CHECK(address_of(empty) == 0x900000);
  CHECK(empty.size == Sizes{1, 1, 1, 1});
}

TEST_CASE("heads that are copied together keep their order") {
  const Problem p = parse_problem("dtype=bf16 batch=3 heads=4/2 head_dim=64 seq=100");
  const TensorMapSpec packed{.tensor = "q", .box = {"64", "2", "32", "1"}, .swizzle = "128"};
  AttentionTensors tensors = contiguous(p);
  tensors.q.data = reinterpret_cast<void*>(base);
  const TensorMapShape shape = tensor_map_shape(packed, p, tensors, {});
  CHECK(shape.size == Sizes{64, 4, 100, 3});
  CHECK(shape.stride_bytes == Strides{128, 512, 51200});
  CHECK(shape.box == std::array<std::uint32_t, 4>{64, 2, 32, 1});
  for (const std::int64_t stride : {std::int64_t{0}, std::int64_t{-64}}) {
    tensors.q.stride[2] = stride;
    CHECK_THROWS_WITH_AS((void)tensor_map_shape(packed, p, tensors, {}), doctest::Contains("q.stride_head="),
                         RefusalError);
  }
}

TEST_CASE("strides no map can have are refused by name") {
  const auto sentence = [](const std::array<std::int64_t, 3>& stride) -> std::string {
    try {
      (void)shape_of(three_by_four, stride);
    } catch (const RefusalError& refusal) {
      return refusal.what();
    }
    return "";
  };
  CHECK(sentence({25600, 0, 64}).find("k.stride_row=0") != std::string::npos);
  CHECK(sentence({25600, -256, 64}).find("k.stride_row=-256") != std::string::npos);
  CHECK(sentence({25600, -256, 64}).find("copy the tensor") != std::string::npos);
  CHECK(sentence({25600, 256, 68}).find("k.stride_head=68") != std::string::npos);
  CHECK(sentence({25600, 256, -68}).find("k.stride_head=-68") != std::string::npos);
  CHECK(sentence({std::int64_t{1} << 39, 256, 64}).find("k.stride_batch=549755813888") != std::string::npos);
  CHECK(sentence({-(std::int64_t{1} << 39), 256, 64}).find("k.stride_batch") != std::string::npos);
  CHECK(sentence({INT64_MIN, 256, 64}).find("k.stride_batch") != std::string::npos);
}
