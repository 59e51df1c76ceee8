// One call of a host kernel straight from Source to numbers, and a naive f64 attention to compare with. Independent of
// the reference in runtime/, so that two mistakes would have to agree.
#pragma once

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <cstring>
#include <limits>
#include <map>
#include <memory>
#include <random>
#include <string>
#include <vector>

#include "generator/forward_host.h"
#include "generator/problem.h"
#include "runtime/llvm/compiler.h"
#include "templates/attention_args.h"
#include "templates/launch.h"

namespace attentune::test {

inline float half_to_float(std::uint16_t h) {
  const int exponent = (h >> 10) & 31;
  const int mantissa = h & 1023;
  const float sign = (h & 0x8000) != 0 ? -1.0F : 1.0F;
  if (exponent == 31)
    return mantissa != 0 ? std::numeric_limits<float>::quiet_NaN() : sign * std::numeric_limits<float>::infinity();
  return sign * (exponent == 0 ? std::ldexp(static_cast<float>(mantissa), -24)
                               : std::ldexp(static_cast<float>(mantissa + 1024), exponent - 25));
}

inline float load(Dtype dtype, const std::uint8_t* p) {
  if (dtype == Dtype::f32) {
    float x;
    std::memcpy(&x, p, 4);
    return x;
  }
  std::uint16_t h;
  std::memcpy(&h, p, 2);
  if (dtype == Dtype::f16)
    return half_to_float(h);
  const std::uint32_t u = static_cast<std::uint32_t>(h) << 16;
  float x;
  std::memcpy(&x, &u, 4);
  return x;
}

// Rounds by search, slowly and surely: inputs only, so truncation to a representable value is all that is needed.
inline void put(Dtype dtype, std::uint8_t* p, float x) {
  if (dtype == Dtype::f32) {
    std::memcpy(p, &x, 4);
    return;
  }
  std::uint32_t u;
  std::memcpy(&u, &x, 4);
  std::uint16_t h = static_cast<std::uint16_t>(u >> 16);
  if (dtype == Dtype::f16) {
    const auto sign = static_cast<std::uint16_t>((u >> 16) & 0x8000U);
    const int exponent = static_cast<int>((u >> 23) & 255U) - 127 + 15;
    if (std::isnan(x)) {
      h = 0x7e01;
    } else if (exponent <= 0) {
      h = static_cast<std::uint16_t>(sign | static_cast<std::uint16_t>(std::ldexp(std::fabs(x), 24)));
    } else {
      h = static_cast<std::uint16_t>(sign | (exponent << 10) | static_cast<int>((u >> 13) & 1023U));
    }
  }
  std::memcpy(p, &h, 2);
}

// A tensor [batch, len, heads, d] inside poisoned memory: `pad` elements follow every row, `spare` rows of NaN follow
// every sequence, and the whole begins `skew` bytes past an aligned address.
struct Tensor {
  Dtype dtype;
  std::int64_t batch, len, heads, d;
  std::int64_t stride[3];
  std::size_t skew;
  std::vector<std::uint8_t> bytes;

  Tensor(Dtype t, std::int64_t b, std::int64_t n, std::int64_t h, std::int64_t dim, std::int64_t pad = 3,
         std::int64_t spare = 2, std::size_t skew_bytes = 0)
      : dtype(t),
        batch(b),
        len(n),
        heads(h),
        d(dim),
        stride{(n + spare) * h * (dim + pad), h * (dim + pad), dim + pad},
        skew(skew_bytes) {
    const auto count = static_cast<std::size_t>(stride[0] * b + 64);
    bytes.resize(count * size_of(t) + 64);
    for (std::size_t i = 0; i < count; ++i)
      put(t, bytes.data() + skew + i * size_of(t), std::numeric_limits<float>::quiet_NaN());
  }
  [[nodiscard]] std::uint8_t* data() { return bytes.data() + skew; }
  [[nodiscard]] std::uint8_t* at(std::int64_t b, std::int64_t i, std::int64_t h, std::int64_t e) {
    return data() + static_cast<std::size_t>(b * stride[0] + i * stride[1] + h * stride[2] + e) * size_of(dtype);
  }
  [[nodiscard]] double get(std::int64_t b, std::int64_t i, std::int64_t h, std::int64_t e) {
    return load(dtype, at(b, i, h, e));
  }
  void fill(unsigned seed, float magnitude) {
    std::mt19937 random(seed);
    std::normal_distribution<float> normal(0.0F, magnitude);
    for (std::int64_t b = 0; b < batch; ++b)
      for (std::int64_t i = 0; i < len; ++i)
        for (std::int64_t h = 0; h < heads; ++h)
          for (std::int64_t e = 0; e < d; ++e)
            put(dtype, at(b, i, h, e), normal(random));
  }
};

struct Call {
  Problem problem;
  Tensor q, k, v, out;
  std::vector<float> lse, sink;
  float magnitude = 1.0F;

  explicit Call(const Problem& p, unsigned seed = 1, std::size_t skew = 0, float size = 1.0F)
      : problem(p),
        q(p.q, p.batch, p.len_q, p.heads_q, p.head_dim_qk, 3, 2, skew),
        k(p.k, p.batch, p.len_kv, p.heads_kv, p.head_dim_qk, 5, 2, skew),
        v(p.v, p.batch, p.len_kv, p.heads_kv, p.head_dim_v, 1, 2, skew),
        out(p.out, p.batch, p.len_q, p.heads_q, p.head_dim_v, 7, 2, skew),
        lse(static_cast<std::size_t>(p.batch * p.heads_q * p.len_q), std::numeric_limits<float>::quiet_NaN()) {
    q.fill(seed, size);
    k.fill(seed + 1, size);
    v.fill(seed + 2, size);
    for (std::int64_t h = 0; h < p.heads_q; ++h)
      sink.push_back(0.5F * static_cast<float>(h % 5) - 1.0F);
  }

  // Runs `source` compiled for arch; workspace and outputs are NaN before.
  void run(const Source& source, const Arch& arch, std::int64_t split = 1) {
    const Binary binary = llvm_backend::compile(source, arch);
    run(source, *llvm_backend::load(binary.object), split);
  }
  void run(const Source& source, const llvm_backend::LoadedObject& object, std::int64_t split = 1) {
    AttentionArgs args{};
    args.q = q.data();
    args.k = k.data();
    args.v = v.data();
    args.out = out.data();
    args.lse = problem.lse ? lse.data() : nullptr;
    args.sink_logit = problem.sink_logit ? sink.data() : nullptr;
    for (int n = 0; n < 3; ++n) {
      args.q_stride[n] = q.stride[n];
      args.k_stride[n] = k.stride[n];
      args.v_stride[n] = v.stride[n];
      args.out_stride[n] = out.stride[n];
    }
    args.lse_stride[0] = problem.heads_q * problem.len_q;
    args.lse_stride[1] = problem.len_q;
    args.lse_stride[2] = 1;
    args.batch = problem.batch;
    args.heads_q = problem.heads_q;
    args.heads_kv = problem.heads_kv;
    args.len_q = problem.len_q;
    args.len_kv = problem.len_kv;
    for (std::size_t n = 0; n < problem.mask.arguments.size(); ++n)
      args.mask_arguments[n] = problem.mask.arguments[n];
    args.scale = static_cast<float>(problem.effective_scale());
    args.launch_choices[0] = 1;
    args.launch_choices[1] = split;
    const std::vector<AttentuneScalar> scalars{{"batch", problem.batch},
                                               {"heads_q", problem.heads_q},
                                               {"heads_kv", problem.heads_kv},
                                               {"group", problem.group()},
                                               {"len_q", problem.len_q},
                                               {"len_kv", problem.len_kv},
                                               {"workers", 1},
                                               {"grain", 1},
                                               {"split", split},
                                               {"head_dim_qk", problem.head_dim_qk},
                                               {"head_dim_v", problem.head_dim_v}};
    constexpr std::size_t guard = 4096;
    struct Slice {
      std::unique_ptr<std::uint8_t[]> memory;
      std::uint8_t* begin = nullptr;
      std::size_t size = 0;
    };
    std::map<std::string, Slice> slices;  // by name: launches share them
    for (const LaunchRule& rule : source.launches) {
      const auto evaluate = [&](const std::string& text) {
        std::int64_t value = -1;
        if (attentune_evaluate(text.c_str(), scalars.data(), static_cast<int>(scalars.size()), &value) != 0)
          value = -1;
        return value;
      };
      int n = 0;
      for (const WorkspaceSlice& slice : rule.workspace) {
        const std::int64_t size = evaluate(slice.bytes);
        Slice& place = slices[slice.name];
        if (!place.memory) {
          place.size = static_cast<std::size_t>(size);
          place.memory.reset(new std::uint8_t[place.size + guard + 64]);
          std::memset(place.memory.get(), 0xff, place.size + guard + 64);
          const auto past_boundary = reinterpret_cast<std::uintptr_t>(place.memory.get()) % 64;
          place.begin = place.memory.get() + (64 - past_boundary) % 64;
        }
        args.workspace[n++] = place.begin;
      }
      reinterpret_cast<AttentuneHostEntry>(object.entry(rule.entry))(&args, 0, evaluate(rule.grid[0]));
    }
    for (const auto& [name, place] : slices) {
      INFO("workspace ", name);
      const std::uint8_t* const end = place.begin + place.size;
      CHECK(std::all_of(end, end + guard, [](std::uint8_t byte) { return byte == 0xff; }));
    }
  }

  // Largest |out - exact| and |lse - exact|; infinite when one is NaN and the other is not, or rows' padding changed.
  struct Errors {
    double out = 0, lse = 0, largest = 0;
  };
  Errors compare() {
    Errors errors;
    const auto update = [](double& worst, double got, double want) {
      if (std::isinf(want) && got == want)
        return;
      const double error = std::fabs(got - want);
      if (!(error <= worst))
        worst = std::isnan(error) ? std::numeric_limits<double>::infinity() : error;
    };
    std::vector<double> o(static_cast<std::size_t>(problem.head_dim_v));
    for (std::int64_t b = 0; b < problem.batch; ++b)
      for (std::int64_t h = 0; h < problem.heads_q; ++h)
        for (std::int64_t i = 0; i < problem.len_q; ++i) {
          const std::int64_t head_kv = h / problem.group();
          double sum = problem.sink_logit ? std::exp(static_cast<double>(sink[static_cast<std::size_t>(h)])) : 0.0;
          std::fill(o.begin(), o.end(), 0.0);
          std::vector<double> s;
          double largest =
              problem.sink_logit ? sink[static_cast<std::size_t>(h)] : -std::numeric_limits<double>::infinity();
          for (std::int64_t j = 0; j < problem.len_kv; ++j) {
            double dot = 0;
            for (std::int64_t e = 0; e < problem.head_dim_qk; ++e)
              dot += q.get(b, i, h, e) * k.get(b, j, head_kv, e);
            const bool seen = visible(problem.mask, i, j, problem.shift());
            s.push_back(seen ? attentune::apply(problem.score, dot * problem.effective_scale())
                             : -std::numeric_limits<double>::infinity());
            largest = std::max(largest, s.back());
          }
          const double origin = std::isinf(largest) ? 0 : largest;
          sum = problem.sink_logit ? std::exp(sink[static_cast<std::size_t>(h)] - origin) : 0.0;
          for (std::int64_t j = 0; j < problem.len_kv; ++j) {
            const double p = std::exp(s[static_cast<std::size_t>(j)] - origin);
            if (p == 0)
              continue;
            sum += p;
            for (std::int64_t e = 0; e < problem.head_dim_v; ++e)
              o[static_cast<std::size_t>(e)] += p * v.get(b, j, head_kv, e);
          }
          for (std::int64_t e = 0; e < problem.head_dim_v; ++e) {
            const double want = sum == 0 ? 0.0 : o[static_cast<std::size_t>(e)] / sum;
            errors.largest = std::max(errors.largest, std::fabs(want));
            update(errors.out, out.get(b, i, h, e), want);
          }
          // Nothing but the row was written.
          if (!std::isnan(out.get(b, i, h, problem.head_dim_v)))
            errors.out = std::numeric_limits<double>::infinity();
          if (problem.lse) {
            update(errors.lse, lse[static_cast<std::size_t>((b * problem.heads_q + h) * problem.len_q + i)],
                   sum == 0 ? -std::numeric_limits<double>::infinity() : origin + std::log(sum));
          }
        }
    return errors;
  }
};

}  // namespace attentune::test
