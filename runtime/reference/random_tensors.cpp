#include "runtime/reference/random_tensors.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstring>

#include "runtime/reference/random_values.h"

namespace attentune {
namespace {

// A tensor as it lies in memory: the dimensions outside the innermost one, from outside in, and the elements of the
// innermost one. Everything between is padding.
struct Shape {
  std::int64_t outer[3];
  std::int64_t stride[3];
  std::int64_t inner;

  // One past the last element.
  [[nodiscard]] std::int64_t span() const noexcept {
    if (outer[0] == 0 || outer[1] == 0 || outer[2] == 0 || inner == 0)
      return 0;
    return (outer[0] - 1) * stride[0] + (outer[1] - 1) * stride[1] + (outer[2] - 1) * stride[2] + inner;
  }
  [[nodiscard]] std::int64_t runs() const noexcept { return outer[0] * outer[1] * outer[2]; }
  [[nodiscard]] std::int64_t offset(std::int64_t run) const noexcept {
    const std::int64_t innermost = run % outer[2];
    const std::int64_t middle = run / outer[2] % outer[1];
    return run / outer[2] / outer[1] * stride[0] + middle * stride[1] + innermost * stride[2];
  }
};

// C order with every row at a multiple of the promised alignment. Padded: heads, rows and batches all stand apart.
std::array<std::int64_t, 3> strides_of(const Problem& problem, std::int64_t length, std::int64_t heads,
                                       std::int64_t dim, Dtype dtype, bool padded) {
  const auto element = static_cast<std::int64_t>(size_of(dtype));
  const std::int64_t step = std::max<std::int64_t>(problem.alignment / element, 1);
  const std::int64_t apart = padded ? step : 0;
  const std::int64_t head = (dim + step - 1) / step * step + apart;
  const std::int64_t row = heads * head + 2 * apart;
  return {length * row + 3 * apart, row, head};
}

Shape shape_of(const TensorView& view, std::int64_t batch, std::int64_t length, std::int64_t heads, std::int64_t dim) {
  return {.outer = {batch, length, heads}, .stride = {view.stride[0], view.stride[1], view.stride[2]}, .inner = dim};
}

Shape lse_shape(const Problem& problem, const LseView& lse) {
  return {.outer = {problem.batch, problem.heads_q, problem.len_q},
          .stride = {lse.stride[0], lse.stride[1], lse.stride[2]},
          .inner = 1};
}

GuardedBuffer allocate(const Shape& shape, std::size_t element, const Problem& problem, BufferOptions options,
                       const DeviceMemory& memory) {
  const std::size_t alignment = options.least_aligned || options.guard_pages
                                    ? std::max<std::size_t>(static_cast<std::size_t>(problem.alignment), element)
                                    : 64;
  return GuardedBuffer(static_cast<std::size_t>(shape.span()) * element, alignment, options.least_aligned,
                       options.guard_pages, memory);
}

// Padding must still be 0xFF. Runs are visited in order of address; between them stands padding.
std::string padding_damage(const GuardedBuffer& buffer, const Shape& shape, std::size_t element, const char* name) {
  const auto* const bytes = static_cast<const std::uint8_t*>(buffer.data());
  std::size_t at = 0;
  for (std::int64_t run = 0; run < shape.runs(); ++run) {
    const std::size_t begin = static_cast<std::size_t>(shape.offset(run)) * element;
    for (; at < begin; ++at) {
      if (bytes[at] != 0xFF)
        return fmt::format("{}, byte {} in the padding between its rows", name, at);
    }
    at = begin + static_cast<std::size_t>(shape.inner) * element;
  }
  return "";
}

struct Scale {
  double q, k, v, sink;
};

Scale scale_of(Values values) noexcept {
  switch (values) {
    case Values::large:
      return {30, 30, 100, 50};
    case Values::counting:
      return {0, 1, 1, 0};
    case Values::negative:
      return {12, 12, 1, 500};
    case Values::rising:
      return {4, 4, 1, 1};
    case Values::normal:
      break;
  }
  return {1, 1, 1, 1};
}

// Calls body(run) for every run of the shape, spread over the executor.
template <typename Body>
void for_each_run(const Shape& shape, Executor& executor, const Body& body) {
  executor.parallel_for(
      shape.runs(), 256,
      [](void* context, int, std::int64_t begin, std::int64_t end) {
        for (std::int64_t run = begin; run < end; ++run)
          (*static_cast<const Body*>(context))(run);
      },
      const_cast<Body*>(&body));
}

}  // namespace

CallBuffers::CallBuffers(const Problem& problem, BufferOptions options, const DeviceMemory& memory)
    : problem_(problem), tensors_(contiguous(problem)) {
  const Problem& p = problem_;
  const auto c_order = tensors_.out.stride;
  tensors_.q.stride = strides_of(p, p.len_q, p.heads_q, p.head_dim_qk, p.q, options.padded);
  tensors_.k.stride = strides_of(p, p.len_kv, p.heads_kv, p.head_dim_qk, p.k, options.padded);
  tensors_.v.stride = strides_of(p, p.len_kv, p.heads_kv, p.head_dim_v, p.v, options.padded);
  tensors_.out.stride = strides_of(p, p.len_q, p.heads_q, p.head_dim_v, p.out, options.padded);
  if (options.padded)
    tensors_.lse.stride = {p.heads_q * (p.len_q + 3) + 5, p.len_q + 3, 1};
  has_padding_ = tensors_.out.stride != c_order;
  device_tensors_ = tensors_;
  const auto make = [&](TensorView& view, TensorView& on_device, std::int64_t length, std::int64_t heads,
                        std::int64_t dim) {
    GuardedBuffer buffer =
        allocate(shape_of(view, p.batch, length, heads, dim), size_of(view.dtype), p, options, memory);
    view.data = buffer.data();
    on_device.data = buffer.device_data();
    return buffer;
  };
  q_ = make(tensors_.q, device_tensors_.q, p.len_q, p.heads_q, p.head_dim_qk);
  k_ = make(tensors_.k, device_tensors_.k, p.len_kv, p.heads_kv, p.head_dim_qk);
  v_ = make(tensors_.v, device_tensors_.v, p.len_kv, p.heads_kv, p.head_dim_v);
  out_ = make(tensors_.out, device_tensors_.out, p.len_q, p.heads_q, p.head_dim_v);
  if (p.lse) {
    lse_ = allocate(lse_shape(p, tensors_.lse), sizeof(float), p, options, memory);
    tensors_.lse.data = static_cast<float*>(lse_.data());
    device_tensors_.lse.data = static_cast<float*>(lse_.device_data());
  }
  if (p.sink_logit) {
    sink_ = GuardedBuffer(static_cast<std::size_t>(p.heads_q) * sizeof(float), 64, false, options.guard_pages, memory);
    tensors_.sink_logit = static_cast<const float*>(sink_.data());
    device_tensors_.sink_logit = static_cast<const float*>(sink_.device_data());
  }
}

void CallBuffers::upload() {
  for (GuardedBuffer* const buffer : {&q_, &k_, &v_, &sink_})
    buffer->upload();
}

void CallBuffers::download() {
  for (GuardedBuffer* const written : {&out_, &lse_})
    written->download();
  for (GuardedBuffer* const read : {&q_, &k_, &v_, &sink_})
    read->download_guards();
}

void CallBuffers::fill(std::uint64_t seed, Values values, Executor& executor) {
  const Problem& p = problem_;
  const Scale scale = scale_of(values);
  // changed(value, run): what stands there instead of the random value.
  const auto normals = [&](const TensorView& view, std::uint64_t tensor, const Shape& shape, double factor,
                           const auto& changed) {
    for_each_run(shape, executor, [&](std::int64_t run) {
      const std::int64_t offset = shape.offset(run);
      for (std::int64_t c = 0; c < shape.inner; ++c) {
        const double value = random_normal(seed, tensor, static_cast<std::uint64_t>(run * shape.inner + c)) * factor;
        store_element(view.data, offset + c, view.dtype, static_cast<float>(changed(value, run)));
      }
    });
  };
  const auto key_of = [&](std::int64_t run) { return run / p.heads_kv % p.len_kv; };
  normals(tensors_.q, 0, shape_of(tensors_.q, p.batch, p.len_q, p.heads_q, p.head_dim_qk), scale.q,
          [&](double value, std::int64_t) { return values == Values::negative ? std::fabs(value) : value; });
  normals(tensors_.k, 1, shape_of(tensors_.k, p.batch, p.len_kv, p.heads_kv, p.head_dim_qk), scale.k,
          [&](double value, std::int64_t run) {
            if (values == Values::rising && key_of(run) < p.len_kv / 2)
              return 0.0;
            return values == Values::negative ? -std::fabs(value) : value;
          });
  const Shape v = shape_of(tensors_.v, p.batch, p.len_kv, p.heads_kv, p.head_dim_v);
  if (values == Values::counting) {
    for_each_run(v, executor, [&](std::int64_t run) {
      for (std::int64_t c = 0; c < v.inner; ++c) {
        store_element(tensors_.v.data, v.offset(run) + c, tensors_.v.dtype, key_of(run) % v.inner == c ? 1.0F : 0.0F);
      }
    });
  } else {
    normals(tensors_.v, 2, v, scale.v, [](double value, std::int64_t) { return value; });
  }
  auto* const sink = static_cast<float*>(sink_.data());
  for (std::int64_t head = 0; p.sink_logit && head < p.heads_q; ++head) {
    sink[head] = static_cast<float>(random_normal(seed, 3, static_cast<std::uint64_t>(head)) * scale.sink);
  }
  upload();
}

void CallBuffers::poison() {
  out_.fill_bytes(0xFF);
  lse_.fill_bytes(0xFF);
}

std::string CallBuffers::guard_damage() const {
  const std::pair<const char*, const GuardedBuffer*> buffers[] = {
      {"q", &q_}, {"k", &k_}, {"v", &v_}, {"out", &out_}, {"lse", &lse_}, {"sink_logit", &sink_}};
  for (const auto& [name, buffer] : buffers) {
    if (std::string damage = buffer->damage(name); !damage.empty())
      return damage;
  }
  if (!has_padding_)
    return "";
  const Problem& p = problem_;
  const Shape out = shape_of(tensors_.out, p.batch, p.len_q, p.heads_q, p.head_dim_v);
  if (std::string damage = padding_damage(out_, out, size_of(p.out), "out"); !damage.empty())
    return damage;
  return p.lse ? padding_damage(lse_, lse_shape(p, tensors_.lse), sizeof(float), "lse") : "";
}

std::string CallBuffers::first_nan() const {
  const Problem& p = problem_;
  const Shape out = shape_of(tensors_.out, p.batch, p.len_q, p.heads_q, p.head_dim_v);
  for (std::int64_t run = 0; run < out.runs(); ++run) {
    const std::int64_t offset = out.offset(run);
    for (std::int64_t c = 0; c < out.inner; ++c) {
      if (!std::isnan(load_element(tensors_.out.data, offset + c, p.out)))
        continue;
      return fmt::format("out at batch {} query {} head {} column {}", run / p.heads_q / p.len_q,
                         run / p.heads_q % p.len_q, run % p.heads_q, c);
    }
  }
  if (!p.lse)
    return "";
  const Shape lse = lse_shape(p, tensors_.lse);
  for (std::int64_t run = 0; run < lse.runs(); ++run) {
    if (!std::isnan(tensors_.lse.data[lse.offset(run)]))
      continue;
    return fmt::format("lse at batch {} head {} query {}", run / p.len_q / p.heads_q, run / p.len_q % p.heads_q,
                       run % p.len_q);
  }
  return "";
}

Workspace::Workspace(std::size_t bytes, const DeviceMemory& memory) : buffer_(bytes, 256, false, false, memory) {}

}  // namespace attentune
