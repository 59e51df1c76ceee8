#include "tests/simulator/hopper_attention.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <fstream>
#include <iterator>
#include <stdexcept>
#include <vector>

#include "runtime/simulator/memory/tensor_map.h"
#include "tests/simulator/run.h"

namespace attentune::simulator {

namespace {

// Values in (-1, 1), exact in bf16.
std::vector<std::uint16_t> random_bf16(std::size_t count, std::uint32_t seed) {
  std::vector<std::uint16_t> values(count);
  for (std::uint16_t& value : values) {
    seed = seed * 1664525U + 1013904223U;
    const float f = static_cast<float>(static_cast<std::int32_t>(seed >> 24) - 128) / 128.0F;
    value = static_cast<std::uint16_t>(std::bit_cast<std::uint32_t>(f) >> 16);
  }
  return values;
}

double value_of(std::uint16_t bits) { return std::bit_cast<float>(static_cast<std::uint32_t>(bits) << 16); }

// Dimensions d, row, head, batch of a dense [batch, head, row, d].
EncodedTensorMap map_of(const std::vector<std::uint16_t>& tensor, std::uint64_t d, std::uint64_t rows,
                        std::uint64_t heads, std::uint64_t batch, std::uint32_t box_rows) {
  return encode({.address = std::bit_cast<std::uint64_t>(tensor.data()),
                 .element = TensorElement::bf16,
                 .rank = 4,
                 .size = {d, rows, heads, batch},
                 .stride_bytes = {2 * d, 2 * d * rows, 2 * d * rows * heads},
                 .box = {64, box_rows, 1, 1},
                 .swizzle_bytes = 128});
}

}  // namespace

std::string HopperAttention::ptx() const {
  std::ifstream file(std::string(ATTENTUNE_TEST_DATA) + "/hopper_attention_" + std::to_string(head_dim) + ".ptx");
  return {std::istreambuf_iterator<char>(file), {}};
}

double HopperAttention::run(std::string_view text) const {
  const auto d = static_cast<std::size_t>(head_dim);
  const std::size_t groups = std::size_t{heads} * batch;
  const std::vector<std::uint16_t> q = random_bf16(groups * len_q * d, 1);
  const std::vector<std::uint16_t> k = random_bf16(groups * len_kv * d, 2);
  const std::vector<std::uint16_t> v = random_bf16(groups * len_kv * d, 3);
  std::vector<float> out(groups * len_q * d);
  Simulator simulator(ptx::parse(text), options);
  const auto add = [&](const auto& tensor, const char* name, BufferAccess access) {
    simulator.register_buffer(const_cast<void*>(static_cast<const void*>(tensor.data())),
                              tensor.size() * sizeof(tensor[0]), name, access);
  };
  add(q, "q", BufferAccess::read);
  add(k, "k", BufferAccess::read);
  add(v, "v", BufferAccess::read);
  add(out, "out", BufferAccess::scratch);
  const double scale = 1 / std::sqrt(static_cast<double>(d));
  const Parameters parameters = Parameters() << map_of(q, d, len_q, heads, batch, 128)
                                             << map_of(k, d, len_kv, heads, batch, tile_n())
                                             << map_of(v, d, len_kv, heads, batch, tile_n()) << out.data()
                                             << len_kv / tile_n() << static_cast<float>(scale * 1.4426950408889634);
  const auto shared = static_cast<std::uint32_t>(128 * d * 2 + 4 * tile_n() * d * 2 + 8 * 7);
  simulator.run(
      "attention",
      {.grid = {.x = len_q / 128, .y = heads, .z = batch}, .block = {.x = 384}, .dynamic_shared_bytes = shared},
      parameters.bytes());

  double largest = 0;
  double error = 0;
  std::vector<double> weights(len_kv);
  std::vector<double> row(d);
  for (std::size_t i = 0; i < groups * len_q; i += 7) {
    const std::size_t group = i / len_q;
    double sum = 0;
    for (std::size_t j = 0; j < len_kv; ++j) {
      double score = 0;
      for (std::size_t c = 0; c < d; ++c)
        score += value_of(q[i * d + c]) * value_of(k[(group * len_kv + j) * d + c]);
      weights[j] = std::exp(score * scale);
      sum += weights[j];
    }
    std::ranges::fill(row, 0.0);
    for (std::size_t j = 0; j < len_kv; ++j) {
      for (std::size_t c = 0; c < d; ++c)
        row[c] += weights[j] * value_of(v[(group * len_kv + j) * d + c]);
    }
    for (std::size_t c = 0; c < d; ++c) {
      largest = std::max(largest, std::abs(row[c] / sum));
      error = std::max(error, std::abs(row[c] / sum - out[i * d + c]));
    }
  }
  return error / largest;
}

std::string replaced(std::string text, std::string_view from, std::string_view to, int which) {
  bool found = false;
  int seen = 0;
  for (std::size_t at = text.find(from); at != std::string::npos; at = text.find(from, at)) {
    if (which >= 0 && seen++ != which) {
      at += from.size();
      continue;
    }
    text.replace(at, from.size(), to);
    at += to.size();
    found = true;
  }
  if (!found)
    throw std::logic_error("the text to replace is not there: " + std::string(from));
  return text;
}

}  // namespace attentune::simulator
