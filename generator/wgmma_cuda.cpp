#include "generator/wgmma_cuda.h"

#include <fmt/format.h>

namespace attentune {
namespace {

// "%4, %5, %6, %7" in rows of eight, as lines of a string literal.
std::string operand_names(std::int64_t count) {
  std::string text;
  for (std::int64_t n = 0; n < count; ++n) {
    const bool line_begins = n % 8 == 0;
    const bool line_ends = n % 8 == 7 || n + 1 == count;
    text += fmt::format("{}%{}{}{}", line_begins ? "      \"" : " ", n, n + 1 == count ? "" : ",",
                        line_ends ? (n + 1 == count ? "\"\n" : " \"\n") : "");
  }
  return text;
}

// A line a block of 8 columns: "+f"(d[0][0]), ..., "+f"(d[0][3]).
std::string accumulators(std::int64_t blocks) {
  std::string text;
  for (std::int64_t n = 0; n < blocks; ++n) {
    text += fmt::format("{0}\"+f\"(d[{1}][0]), \"+f\"(d[{1}][1]), \"+f\"(d[{1}][2]), \"+f\"(d[{1}][3]){2}\n",
                        n == 0 ? "      : " : "        ", n, n + 1 == blocks ? "" : ",");
  }
  return text;
}

}  // namespace

std::string wgmma_cuda(const WgmmaForm& form) {
  const bool registers = form.a == WgmmaForm::A::registers;
  const std::int64_t accumulator_count = form.columns / 2;
  const std::int64_t b = accumulator_count + (registers ? 4 : 1);
  const std::string a_names =
      registers ? fmt::format("{{%{}, %{}, %{}, %{}}}", b - 4, b - 3, b - 2, b - 1) : fmt::format("%{}", b - 1);
  const std::string_view a_operands = registers ? R"("r"(a[0]), "r"(a[1]), "r"(a[2]), "r"(a[3]))" : R"("l"(a))";
  // Signs of A and B; then, by rows or not, of A (where it is in shared memory) and B.
  const std::string_view immediates = registers ? "1, 1" : "1, 1, 0";

  return fmt::format(
             "template <int ACCUMULATE>\n"
             "INLINE void {}(float (&d)[{}][4], {}, u64 b) {{\n"
             "  asm volatile(\n"
             "      \"{{\\n\\t\"\n"
             "      \".reg .pred accumulate;\\n\\t\"\n"
             "      \"setp.ne.b32 accumulate, %{}, 0;\\n\\t\"\n"
             "      \"wgmma.mma_async.sync.aligned.m64n{}k16.f32.{}.{} {{\"\n",
             form.name, form.columns / 8, registers ? "const u32 (&a)[4]" : "u64 a", b + 1, form.columns,
             name(form.dtype), name(form.dtype)) +
         operand_names(accumulator_count) +
         fmt::format(
             "      \"}}, {}, %{}, accumulate, {}, {};\\n\\t\"\n"
             "      \"}}\"\n",
             a_names, b, immediates, form.b_by_rows ? 1 : 0) +
         accumulators(form.columns / 8) + fmt::format("      : {}, \"l\"(b), \"n\"(ACCUMULATE));\n}}\n", a_operands);
}

}  // namespace attentune
