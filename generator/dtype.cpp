#include "generator/dtype.h"

#include <array>

namespace attentune {
namespace {

struct DtypeRow {
  Dtype dtype;
  std::string_view name;
  std::size_t size;
};

constexpr std::array<DtypeRow, 5> dtype_table{{
    {Dtype::f32, "f32", 4},
    {Dtype::f16, "f16", 2},
    {Dtype::bf16, "bf16", 2},
    {Dtype::e4m3, "e4m3", 1},
    {Dtype::e5m2, "e5m2", 1},
}};

}  // namespace

std::string_view name(Dtype dtype) noexcept { return dtype_table[static_cast<std::size_t>(dtype)].name; }

std::optional<Dtype> parse_dtype(std::string_view text) noexcept {
  for (const DtypeRow& row : dtype_table) {
    if (row.name == text)
      return row.dtype;
  }
  return std::nullopt;
}

std::size_t size_of(Dtype dtype) noexcept { return dtype_table[static_cast<std::size_t>(dtype)].size; }

bool is_fp8(Dtype dtype) noexcept { return dtype == Dtype::e4m3 || dtype == Dtype::e5m2; }

}  // namespace attentune
