#include "tools/attentune/array_files.h"

#include <fmt/format.h>

#include <array>
#include <cstring>
#include <filesystem>
#include <system_error>

#include "generator/error.h"
#include "generator/text.h"
#include "runtime/write_file.h"

namespace attentune {
namespace {

using Shape4 = std::array<std::int64_t, 4>;

void require_rank(const NpyArray& array, const std::string& path) {
  if (array.shape.size() != 4)
    throw RefusalError({"array", path, fmt::format("it has {} dimensions", array.shape.size()),
                        "give an array [batch, length, heads, head_dim]"});
}

// Raw 8-bit arrays may be either fp8 format; only the user knows.
std::string dtype_text(const NpyArray& array, const std::string& path) {
  switch (array.type) {
    case NpyType::f4:
      return "f32";
    case NpyType::f2:
      return "f16";
    case NpyType::u2:
      return "bf16";
    case NpyType::u1:
      break;
  }
  throw RefusalError({"array", path, "raw bytes may be e4m3 or e5m2", "add dtype=e4m3 or dtype=e5m2"});
}

Shape4 shape_q(const Problem& p) { return {p.batch, p.len_q, p.heads_q, p.head_dim_qk}; }
Shape4 shape_k(const Problem& p) { return {p.batch, p.len_kv, p.heads_kv, p.head_dim_qk}; }
Shape4 shape_v(const Problem& p) { return {p.batch, p.len_kv, p.heads_kv, p.head_dim_v}; }
Shape4 shape_out(const Problem& p) { return {p.batch, p.len_q, p.heads_q, p.head_dim_v}; }

// Calls body(element offset in C order, element offset in the view) for every innermost run.
template <typename Body>
void for_each_run(const Shape4& shape, const TensorView& view, const Body& body) {
  std::int64_t flat = 0;
  for (std::int64_t b = 0; b < shape[0]; ++b)
    for (std::int64_t row = 0; row < shape[1]; ++row)
      for (std::int64_t head = 0; head < shape[2]; ++head, flat += shape[3])
        body(flat, b * view.stride[0] + row * view.stride[1] + head * view.stride[2]);
}

void load(const NpyArray& array, const std::string& path, const Shape4& shape, const TensorView& view) {
  require_npy(array, path, view.dtype, shape);
  const std::size_t element = size_of(view.dtype);
  const std::size_t run = static_cast<std::size_t>(shape[3]) * element;
  for_each_run(shape, view, [&](std::int64_t from, std::int64_t to) {
    std::memcpy(static_cast<std::uint8_t*>(view.data) + static_cast<std::size_t>(to) * element,
                array.bytes.data() + static_cast<std::size_t>(from) * element, run);
  });
}

NpyArray store(const Shape4& shape, const TensorView& view) {
  const std::size_t element = size_of(view.dtype);
  const std::size_t run = static_cast<std::size_t>(shape[3]) * element;
  NpyArray array{.type = npy_type(view.dtype), .shape = {shape.begin(), shape.end()}, .bytes = {}};
  array.bytes.resize(static_cast<std::size_t>(shape[0] * shape[1] * shape[2]) * run);
  for_each_run(shape, view, [&](std::int64_t to, std::int64_t from) {
    std::memcpy(array.bytes.data() + static_cast<std::size_t>(to) * element,
                static_cast<const std::uint8_t*>(view.data) + static_cast<std::size_t>(from) * element, run);
  });
  return array;
}

}  // namespace

std::optional<InputArrays> read_inputs(const ArrayArguments& arguments) {
  const bool any = !arguments.q.empty() || !arguments.k.empty() || !arguments.v.empty();
  if (!any && !arguments.sink_logit.empty())
    throw Error(Status::misuse, "--sink-logit-file goes with --q, --k and --v; give all of them");
  if (!any)
    return std::nullopt;
  if (arguments.q.empty() || arguments.k.empty() || arguments.v.empty())
    throw Error(Status::misuse, "--q, --k and --v go together; give all three");
  InputArrays arrays{
      .q = read_npy(arguments.q), .k = read_npy(arguments.k), .v = read_npy(arguments.v), .sink_logit = {}};
  require_rank(arrays.q, arguments.q);
  require_rank(arrays.k, arguments.k);
  require_rank(arrays.v, arguments.v);
  if (!arguments.sink_logit.empty())
    arrays.sink_logit = read_npy(arguments.sink_logit);
  return arrays;
}

void derive_fields(ProblemDraft& draft, const InputArrays& arrays, const ArrayArguments& arguments) {
  auto& fields = draft.fields;
  const auto& q = arrays.q.shape;
  const auto& k = arrays.k.shape;
  const auto& v = arrays.v.shape;
  fields.try_emplace("batch", fmt::format("{}", q[0]));
  fields.try_emplace("heads", pair_text(q[2], k[2]));
  fields.try_emplace("head_dim", pair_text(q[3], v[3]));
  fields.try_emplace("seq", pair_text(q[1], k[1]));
  if (fields.find("dtype") == fields.end()) {
    fields["dtype"] = dtype_text(arrays.q, arguments.q);
    if (arrays.k.type != arrays.q.type)
      fields.try_emplace("k", dtype_text(arrays.k, arguments.k));
    if (arrays.v.type != arrays.q.type)
      fields.try_emplace("v", dtype_text(arrays.v, arguments.v));
  }
  if (arrays.sink_logit)
    fields.try_emplace("sink_logit", "yes");
}

void load_inputs(const Problem& problem, const InputArrays& arrays, const ArrayArguments& arguments,
                 CallBuffers& buffers) {
  const AttentionTensors& tensors = buffers.tensors();
  load(arrays.q, arguments.q, shape_q(problem), tensors.q);
  load(arrays.k, arguments.k, shape_k(problem), tensors.k);
  load(arrays.v, arguments.v, shape_v(problem), tensors.v);
  if (problem.sink_logit != arrays.sink_logit.has_value())
    throw RefusalError({"sink_logit", problem.sink_logit ? "yes" : "no", "it must agree with --sink-logit-file",
                        problem.sink_logit ? "add --sink-logit-file FILE.npy" : "leave sink_logit=no out"});
  if (arrays.sink_logit) {
    const std::array<std::int64_t, 1> heads{problem.heads_q};
    require_npy(*arrays.sink_logit, arguments.sink_logit, Dtype::f32, heads);
    // The buffers are ours; they show the sink logits as const because kernels only read them.
    std::memcpy(const_cast<float*>(tensors.sink_logit), arrays.sink_logit->bytes.data(),
                arrays.sink_logit->bytes.size());
  }
  buffers.upload();
}

void require_outputs(const ArrayArguments& arguments) {
  for (const std::string& path : {arguments.out, arguments.lse})
    if (!path.empty())
      require_writable(path);
  if (arguments.out.empty() || arguments.lse.empty())
    return;
  // Two arrays may well go to one device, such as /dev/null.
  std::error_code error;
  const auto out = std::filesystem::weakly_canonical(std::filesystem::absolute(arguments.out), error);
  const auto lse = std::filesystem::weakly_canonical(std::filesystem::absolute(arguments.lse), error);
  const bool is_file = !std::filesystem::exists(out, error) || std::filesystem::is_regular_file(out, error);
  if (out == lse && is_file)
    throw Error(Status::misuse,
                fmt::format("--out and --lse both name {}; give each a file of its own", arguments.lse));
}

void write_outputs(const Problem& problem, const CallBuffers& buffers, const ArrayArguments& arguments) {
  const AttentionTensors& tensors = buffers.tensors();
  if (!arguments.out.empty())
    write_npy(arguments.out, store(shape_out(problem), tensors.out));
  if (arguments.lse.empty())
    return;
  NpyArray lse{.type = NpyType::f4, .shape = {problem.batch, problem.heads_q, problem.len_q}, .bytes = {}};
  lse.bytes.resize(static_cast<std::size_t>(elements_lse(problem)) * sizeof(float));
  const LseView& view = tensors.lse;
  std::size_t at = 0;
  for (std::int64_t b = 0; b < problem.batch; ++b)
    for (std::int64_t head = 0; head < problem.heads_q; ++head)
      for (std::int64_t row = 0; row < problem.len_q; ++row, at += sizeof(float))
        std::memcpy(lse.bytes.data() + at,
                    view.data + b * view.stride[0] + head * view.stride[1] + row * view.stride[2], sizeof(float));
  write_npy(arguments.lse, lse);
}

}  // namespace attentune
