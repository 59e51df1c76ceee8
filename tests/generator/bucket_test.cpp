#include "generator/bucket.h"

#include <doctest/doctest.h>

#include <vector>

#include "generator/key.h"

using namespace attentune;

TEST_CASE("sizes round up to 2^n or 1.5 * 2^n") {
  const std::vector<std::int64_t> steps{0, 1, 2, 3, 4, 6, 8, 12, 16, 24, 32, 48, 64, 96, 128, 192, 256, 384, 512};
  std::size_t step = 0;
  for (std::int64_t value = 0; value <= 512; ++value) {
    if (value > steps[step])
      ++step;
    REQUIRE(round_to_bucket(value) == steps[step]);
  }
  CHECK(round_to_bucket(-5) == 0);
  CHECK(round_to_bucket(INT64_MAX) == std::int64_t{1} << 62);
}

TEST_CASE("rounding is idempotent, monotone and never more than half above") {
  std::int64_t before = 0;
  for (std::int64_t value = 1; value < (std::int64_t{1} << 60); value = value + value / 7 + 1) {
    const std::int64_t rounded = round_to_bucket(value);
    REQUIRE(rounded >= value);
    REQUIRE(rounded <= value + value / 2 + 1);
    REQUIRE(round_to_bucket(rounded) == rounded);
    REQUIRE(rounded >= before);
    before = rounded;
  }
}

TEST_CASE("a representative lies in its own bucket and class") {
  const Problem p = parse_problem("dtype=f32 batch=3 heads=21/7 head_dim=40 seq=100/1000 mask=window(100,5)&sink(3)");
  const Problem r = representative(p);
  CHECK(!refusal(r));
  CHECK(bucket_of(r) == bucket_of(p));
  CHECK(same_class(r, p));
  CHECK(to_text(r) == "dtype=f32 batch=3 heads=24/8 head_dim=40 seq=128/1024 mask=window(128,6)&sink(3)");
}

TEST_CASE("text goes both ways and the field table agrees with it") {
  const Problem p = parse_problem("dtype=f32 batch=5 heads=8 head_dim=64 seq=7/9 mask=causal()&window(1023,0)");
  const Bucket bucket = bucket_of(p);
  CHECK(to_text(bucket) == "batch=6 heads_kv=8 seq=8/12 window=1024,0");
  CHECK(parse_bucket(to_text(bucket)) == bucket);
  std::string from_fields;
  for (const ProblemField& field : problem_fields()) {
    const std::string part = field.bucket_text(p);
    if (!part.empty())
      from_fields += (from_fields.empty() ? "" : " ") + part;
  }
  CHECK(from_fields == to_text(bucket));
  CHECK_THROWS_AS((void)parse_bucket("batch=x"), RefusalError);
  CHECK_THROWS_AS((void)parse_bucket("colour=1"), RefusalError);
}

TEST_CASE("distance is zero only for equal buckets and counts octaves") {
  const Bucket a{.batch = 1, .heads_kv = 8, .len_q = 1023, .len_kv = 1023, .window_widths = {}};
  Bucket b = a;
  CHECK(distance(a, b) == 0);
  b.len_q = 2047;
  CHECK(distance(a, b) == doctest::Approx(1));
  CHECK(distance(b, a) == distance(a, b));
}
