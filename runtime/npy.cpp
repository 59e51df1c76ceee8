#include "runtime/npy.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <limits>
#include <optional>

#include "generator/error.h"

namespace attentune {
namespace {

constexpr std::array<std::uint8_t, 6> magic{0x93, 'N', 'U', 'M', 'P', 'Y'};
constexpr std::size_t longest_header = 10000;  // NumPy's own limit (max_header_size)
constexpr std::size_t most_dimensions = 32;
constexpr std::size_t header_step = 64;  // data begin at a multiple of it
constexpr std::string_view remedy = "write the file with numpy.save of a C-ordered little-endian array";

struct TypeRow {
  NpyType type;
  std::string_view descr;
  std::size_t size;
};
constexpr TypeRow types[] = {
    {NpyType::f4, "<f4", 4}, {NpyType::f2, "<f2", 2}, {NpyType::u2, "<u2", 2}, {NpyType::u1, "|u1", 1}};

const TypeRow& row_of(NpyType type) noexcept { return types[static_cast<std::size_t>(type)]; }

// Text from a file, fit for a message: short and printable.
std::string shown(std::string_view text) {
  std::string result;
  for (const char letter : text.substr(0, 40))
    result += letter >= ' ' && letter <= '~' ? letter : '?';
  return text.size() > 40 ? result + "..." : result;
}

[[noreturn]] void refuse(std::string_view origin, std::string found, std::string limit,
                         std::string_view todo = remedy) {
  throw RefusalError({std::string(origin), std::move(found), std::move(limit), std::string(todo)});
}

// The header: a Python dictionary literal with three known keys. Nothing else of Python is understood.
class Header {
 public:
  Header(std::string_view text, std::string_view origin) : text_(text), origin_(origin) {}

  NpyArray parse() {
    NpyArray array;
    bool has_type = false;
    bool has_order = false;
    bool has_shape = false;
    expect('{');
    while (!take('}')) {
      const std::string_view key = quoted();
      expect(':');
      bool* seen = key == "descr"           ? &has_type
                   : key == "fortran_order" ? &has_order
                   : key == "shape"         ? &has_shape
                                            : nullptr;
      if (seen == nullptr)
        refuse(origin_, shown(key), "the header has a key that .npy does not define");
      if (*seen)
        refuse(origin_, shown(key), "the header has this key twice");
      *seen = true;
      if (seen == &has_type)
        array.type = type();
      if (seen == &has_order)
        order();
      if (seen == &has_shape)
        array.shape = shape();
      if (!take(',')) {
        expect('}');
        break;
      }
    }
    if (!has_type || !has_order || !has_shape) {
      refuse(origin_, shown(text_), "the header must say descr, fortran_order and shape");
    }
    skip_spaces();
    if (at_ != text_.size())
      refuse(origin_, shown(text_.substr(at_)), "the header goes on behind its dictionary");
    return array;
  }

 private:
  void skip_spaces() {
    while (at_ < text_.size() && (text_[at_] == ' ' || text_[at_] == '\n'))
      ++at_;
  }

  bool take(char letter) {
    skip_spaces();
    if (at_ >= text_.size() || text_[at_] != letter)
      return false;
    ++at_;
    return true;
  }

  void expect(char letter) {
    if (take(letter))
      return;
    refuse(origin_, at_ < text_.size() ? shown(text_.substr(at_)) : "the header's end",
           fmt::format("the header must have '{}' at its byte {}", letter, at_));
  }

  std::string_view quoted() {
    const char quote = take('\'') ? '\'' : '"';
    if (quote == '"')
      expect('"');
    const std::size_t begin = at_;
    const std::size_t end = text_.find(quote, begin);
    if (end == std::string_view::npos)
      refuse(origin_, shown(text_.substr(begin)), "the header has an unclosed string");
    at_ = end + 1;
    return text_.substr(begin, end - begin);
  }

  NpyType type() {
    skip_spaces();
    if (at_ < text_.size() && text_[at_] == '[') {
      refuse(origin_, shown(text_.substr(at_)), "structured arrays are not operands");
    }
    const std::string_view descr = quoted();
    for (const TypeRow& row : types) {
      if (row.descr == descr)
        return row.type;
    }
    refuse(origin_, fmt::format("descr '{}'", shown(descr)),
           "elements must be '<f4' (f32), '<f2' (f16), '<u2' (bf16 bits) or '|u1' (fp8 bits)",
           "convert the array with astype or view");
  }

  void order() {
    skip_spaces();
    const std::string_view rest = text_.substr(at_);
    if (rest.starts_with("True")) {
      refuse(origin_, "fortran_order True", "elements must stand in C order", "save numpy.ascontiguousarray(array)");
    }
    if (!rest.starts_with("False"))
      refuse(origin_, shown(rest), "fortran_order must be False");
    at_ += 5;
  }

  std::vector<std::int64_t> shape() {
    std::vector<std::int64_t> result;
    expect('(');
    bool comma = false;
    while (!take(')')) {
      if (!result.empty() && !comma)
        refuse(origin_, shown(text_.substr(at_)), "the shape must be a tuple of numbers");
      if (result.size() == most_dimensions) {
        refuse(origin_, fmt::format("more than {} dimensions", most_dimensions), "no operand has so many");
      }
      result.push_back(number());
      comma = take(',');
    }
    if (result.size() == 1 && !comma)
      refuse(origin_, "(n)", "a shape of one dimension is written (n,)");
    return result;
  }

  std::int64_t number() {
    skip_spaces();
    std::int64_t value = 0;
    const char* const begin = text_.data() + at_;
    const auto [end, error] = std::from_chars(begin, text_.data() + text_.size(), value);
    if (error != std::errc{} || value < 0) {
      refuse(origin_, shown(text_.substr(at_)), "the shape must hold numbers from 0 to 2^63 - 1");
    }
    at_ += static_cast<std::size_t>(end - begin);
    return value;
  }

  std::string_view text_;
  std::string_view origin_;
  std::size_t at_ = 0;
};

// Nothing when the product passes 2^62.
std::optional<std::size_t> bytes_of(const NpyArray& array) {
  std::uint64_t bytes = row_of(array.type).size;
  if (std::find(array.shape.begin(), array.shape.end(), 0) != array.shape.end())
    return 0;
  for (const std::int64_t extent : array.shape) {
    if (static_cast<std::uint64_t>(extent) > (std::uint64_t{1} << 62) / bytes)
      return std::nullopt;
    bytes *= static_cast<std::uint64_t>(extent);
  }
  return bytes;
}

std::string shape_text(std::span<const std::int64_t> shape) {
  return fmt::format("({}{})", fmt::join(shape, ", "), shape.size() == 1 ? "," : "");
}

}  // namespace

std::string_view name(NpyType type) noexcept { return row_of(type).descr; }
std::size_t size_of(NpyType type) noexcept { return row_of(type).size; }

NpyType npy_type(Dtype dtype) noexcept {
  switch (dtype) {
    case Dtype::f32:
      return NpyType::f4;
    case Dtype::f16:
      return NpyType::f2;
    case Dtype::bf16:
      return NpyType::u2;
    case Dtype::e4m3:
    case Dtype::e5m2:
      break;
  }
  return NpyType::u1;
}

NpyArray parse_npy(std::span<const std::uint8_t> bytes, std::string_view origin) {
  if (bytes.size() < magic.size() + 2 || !std::equal(magic.begin(), magic.end(), bytes.begin())) {
    refuse(origin, fmt::format("{} bytes without the .npy mark", bytes.size()), "the file is not a .npy file");
  }
  const int major = bytes[6];
  const int minor = bytes[7];
  if ((major != 1 && major != 2) || minor != 0) {
    refuse(origin, fmt::format("version {}.{}", major, minor), "only versions 1.0 and 2.0 are read");
  }
  const std::size_t length_bytes = major == 1 ? 2 : 4;
  const std::size_t header_at = magic.size() + 2 + length_bytes;
  if (bytes.size() < header_at)
    refuse(origin, fmt::format("{} bytes", bytes.size()), "the file ends inside its header");
  std::size_t length = 0;
  for (std::size_t byte = 0; byte < length_bytes; ++byte)
    length |= std::size_t{bytes[8 + byte]} << (8 * byte);
  if (length > longest_header) {
    refuse(origin, fmt::format("a header of {} bytes", length),
           fmt::format("no sound header is longer than {}", longest_header));
  }
  if (bytes.size() - header_at < length) {
    refuse(origin, fmt::format("{} bytes", bytes.size()), "the file ends inside its header");
  }
  const std::span<const std::uint8_t> header = bytes.subspan(header_at, length);
  NpyArray array = Header({reinterpret_cast<const char*>(header.data()), header.size()}, origin).parse();
  const std::optional<std::size_t> expected = bytes_of(array);
  const std::span<const std::uint8_t> data = bytes.subspan(header_at + length);
  if (!expected || data.size() < *expected) {
    refuse(origin, fmt::format("{} bytes of data", data.size()),
           fmt::format("shape {} needs {}", shape_text(array.shape),
                       expected ? fmt::format("{}", *expected) : std::string("more than 2^62")),
           "the file was cut short; write it again");
  }
  if (data.size() > *expected) {
    refuse(origin, fmt::format("{} bytes behind the data", data.size() - *expected), "one file holds one array");
  }
  array.bytes.assign(data.begin(), data.end());
  return array;
}

std::vector<std::uint8_t> format_npy(const NpyArray& array) {
  if (bytes_of(array) != array.bytes.size()) {
    throw Error(Status::internal, "a .npy array's bytes do not fit its shape; this is a bug in attentune");
  }
  std::string header = fmt::format("{{'descr': '{}', 'fortran_order': False, 'shape': {}, }}", name(array.type),
                                   shape_text(array.shape));
  const bool wide = header.size() + header_step > std::numeric_limits<std::uint16_t>::max();
  const std::size_t prefix = magic.size() + 2 + (wide ? 4 : 2);
  const std::size_t total = (prefix + header.size() + 1 + header_step - 1) / header_step * header_step;
  header.append(total - prefix - header.size() - 1, ' ');
  header += '\n';

  std::vector<std::uint8_t> bytes(magic.begin(), magic.end());
  bytes.push_back(wide ? 2 : 1);
  bytes.push_back(0);
  for (std::size_t byte = 0; byte < (wide ? 4U : 2U); ++byte) {
    bytes.push_back(static_cast<std::uint8_t>(header.size() >> (8 * byte)));
  }
  bytes.insert(bytes.end(), header.begin(), header.end());
  bytes.insert(bytes.end(), array.bytes.begin(), array.bytes.end());
  return bytes;
}

void require_npy(const NpyArray& array, std::string_view origin, Dtype dtype, std::span<const std::int64_t> shape) {
  const NpyType wanted = npy_type(dtype);
  if (array.type != wanted) {
    refuse(origin, fmt::format("descr '{}'", name(array.type)),
           fmt::format("a {} operand travels as '{}'", name(dtype), name(wanted)),
           "save the operand in that type, bf16 and fp8 as their raw bits");
  }
  if (!std::equal(array.shape.begin(), array.shape.end(), shape.begin(), shape.end())) {
    refuse(origin, fmt::format("shape {}", shape_text(array.shape)),
           fmt::format("the problem says {}", shape_text(shape)), "change the problem or the array");
  }
}

}  // namespace attentune
