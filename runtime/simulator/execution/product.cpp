#include "runtime/simulator/execution/product.h"

#include <algorithm>
#include <cstring>
#include <span>
#include <vector>

#include <fmt/format.h>

#include "runtime/simulator/execution/block.h"
#include "runtime/simulator/execution/launch.h"
#include "runtime/simulator/memory/matrix_descriptor.h"

namespace attentune::simulator {

namespace {

using numerics::MatrixType;

constexpr std::uint32_t slice_bytes = 32;  // of one operand along k
constexpr std::uint32_t rows_of_a = 64;

// One operand in shared memory: `rows` of M or N by 32 bytes of k.
struct Operand {
  MatrixDescriptor descriptor;
  MatrixType type = MatrixType::f16;
  bool mn_major = false;
  std::uint32_t first_row = 0;
  std::uint32_t rows = 0;

  // The address of each chunk of 16 bytes, in the order of packed(). Cost: some ns each.
  template <class Action>
  void for_each_chunk(Action&& action) const {
    if (mn_major) {
      for (std::uint32_t k = 0; k < slice_bytes / 2; ++k) {
        for (std::uint32_t chunk = first_row / 8; chunk < (first_row + rows) / 8; ++chunk)
          action(mn_major_chunk(descriptor, k, chunk));
      }
      return;
    }
    for (std::uint32_t row = first_row; row < first_row + rows; ++row) {
      action(k_major_chunk(descriptor, row, 0));
      action(k_major_chunk(descriptor, row, 1));
    }
  }
};

// The elements, as they follow one another along the operand's major dimension.
void read_packed(const SharedMemory& shared, const Operand& operand, std::span<float> out) {
  std::array<std::byte, 256 * slice_bytes> packed;
  std::byte* to = packed.data();
  operand.for_each_chunk([&](std::uint64_t address) {
    std::memcpy(to, shared.bytes.data() + (address - shared_begin), 16);
    to += 16;
  });
  numerics::decode_elements(operand.type, std::span(packed).first(operand.rows * slice_bytes), out);
}

// `out`: rows x k where k_inner, else k x rows.
void read_operand(const SharedMemory& shared, const Operand& operand, int k, bool k_inner, std::span<float> out) {
  const auto count = static_cast<std::size_t>(k);
  const std::size_t rows = operand.rows;
  if (operand.mn_major != k_inner)
    return read_packed(shared, operand, out.first(rows * count));
  std::array<float, 256 * numerics::longest_k> other;
  read_packed(shared, operand, std::span(other).first(rows * count));
  const std::size_t major = k_inner ? count : rows;  // the slower dimension of `other`
  const std::size_t minor = k_inner ? rows : count;
  for (std::size_t i = 0; i < major; ++i) {
    for (std::size_t j = 0; j < minor; ++j)
      out[j * major + i] = other[i * minor + j];
  }
}

void check_operand(Warp& warp, const Operand& operand, const char* name, const AsyncAccess& access) {
  if (const std::string why = defect(operand.descriptor); !why.empty())
    warp.fail(FaultKind::bad_operand, access.lanes, fmt::format("the descriptor of {}: {}", name, why));
  const SharedMemory& shared = warp.block().shared;
  std::vector<std::uint32_t> granules;
  operand.for_each_chunk([&](std::uint64_t address) {
    const std::size_t offset = shared_offset(warp, address, granule_bytes, access);
    granules.push_back(static_cast<std::uint32_t>(offset / granule_bytes));
  });
  check_shared_granules(warp, granules, access);
  for (const std::uint32_t granule : granules) {
    if (!shared.written.all(granule * granule_bytes, granule_bytes))
      warp.fail(FaultKind::uninitialized_memory, access.lanes,
                fmt::format("a wgmma reads {} at shared {:#x}, which nobody has written", name,
                            granule * granule_bytes + shared_begin));
  }
  warp.launch().bytes[static_cast<std::size_t>(Space::shared)].read += granules.size() * granule_bytes;
}

Operand operand_a(const Product& product, const ProductForm& form, std::uint32_t first_row, std::uint32_t rows) {
  return {.descriptor = decode_descriptor(product.a),
          .type = form.a,
          .mn_major = form.a_mn_major,
          .first_row = first_row,
          .rows = rows};
}

Operand operand_b(const Product& product, const ProductForm& form) {
  return {.descriptor = decode_descriptor(product.b),
          .type = form.b,
          .mn_major = form.b_mn_major,
          .rows = static_cast<std::uint32_t>(form.shape.n)};
}

}  // namespace

AsyncAccess product_access(const Warp& warp, std::uint32_t group, std::uint32_t warpgroup) noexcept {
  return {
      .epoch = {.timeline = warp.block().first_timeline() + warp.launch().timelines.products(warpgroup), .time = group},
      .kind = AccessKind::read,
      .lanes = warp.live(),
      .what = "a wgmma"};
}

void check_operands(Warp& warp, Product& product) {
  const ProductForm form = ProductForm::unpacked(product.step->attribute);
  AsyncAccess access = product_access(warp, product.group, warp.index() / warps_per_group);
  access.sources = &product.sources;
  if (!form.a_in_registers)
    check_operand(warp, operand_a(product, form, 0, rows_of_a), "A", access);
  check_operand(warp, operand_b(product, form), "B", access);
}

void multiply(const std::array<Warp*, warps_per_group>& warps, const Product& product) {
  ProductForm form = ProductForm::unpacked(product.step->attribute);
  const SharedMemory& shared = warps[0]->block().shared;
  const Step& step = *product.step;
  const auto k = static_cast<std::size_t>(form.shape.k);
  const auto n = static_cast<std::size_t>(form.shape.n);
  form.shape.scale_d = product.scale_d;
  if (numerics::bits_of(form.a) == 8 && warps[0]->launch().options.seed != 0)
    form.shape.accumulation = numerics::Accumulation::hopper_fp8;
  std::array<float, 256 * numerics::longest_k> b;
  read_operand(shared, operand_b(product, form), form.shape.k, false, std::span(b).first(k * n));
  std::array<numerics::Lanes, 128> d;
  const auto registers = static_cast<std::size_t>(form.shape.d_registers());
  for (std::uint32_t w = 0; w < warps_per_group; ++w) {
    RegisterFile& file = warps[w]->registers;
    std::array<float, 16 * numerics::longest_k> a;
    if (form.a_in_registers) {
      std::array<numerics::Lanes, 4> fragment;
      for (std::size_t i = 0; i < fragment.size(); ++i)
        fragment[i] = file.words[step.input(i).at];
      numerics::decode_a(form.a, fragment, std::span(a).first(16 * k));
    } else {
      read_operand(shared, operand_a(product, form, 16 * w, 16), form.shape.k, true, std::span(a).first(16 * k));
    }
    if (product.scale_d) {
      for (std::size_t i = 0; i < registers; ++i)
        d[i] = file.words[step.output(i).at];
    }
    numerics::wgmma(form.shape, std::span(a).first(16 * k), std::span(b).first(k * n), std::span(d).first(registers));
    for (std::size_t i = 0; i < registers; ++i) {
      file.words[step.output(i).at] = d[i];
      file.written[step.output(i).number] = every_lane;
    }
  }
}

}  // namespace attentune::simulator
