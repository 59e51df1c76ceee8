#include "runtime/simulator/ptx/literal.h"

#include <bit>
#include <charconv>
#include <cstdint>
#include <limits>
#include <string_view>
#include <system_error>

namespace attentune::ptx {
namespace {

[[noreturn]] void refuse_number(const Token& number) {
  refuse(number, "this is no number PTX has", "write it as in section 4.5 of the PTX ISA");
}

std::uint64_t integer(const Token& number, std::string_view digits, int base) {
  std::uint64_t value = 0;
  const char* const begin = digits.data();
  const char* const end = begin + digits.size();
  const auto [last, error] = std::from_chars(begin, end, value, base);
  if (error != std::errc() || last != end)
    refuse_number(number);
  return value;
}

Operand float_operand(std::uint64_t bits, std::uint8_t bytes) {
  Operand operand;
  operand.kind = Operand::Kind::immediate;
  operand.bits = bits;
  operand.is_float = true;
  operand.float_bytes = bytes;
  return operand;
}

Operand decimal_float(const Token& number, bool negative) {
  double value = 0;
  const char* const begin = number.text.data();
  const char* const end = begin + number.text.size();
  const auto [last, error] = std::from_chars(begin, end, value);
  if (error != std::errc() || last != end)
    refuse_number(number);
  return float_operand(std::bit_cast<std::uint64_t>(negative ? -value : value), 8);
}

bool is_decimal_float(std::string_view text) noexcept {
  return text.find_first_not_of("0123456789.eE+-") == std::string_view::npos &&
         text.find_first_of(".eE") != std::string_view::npos;
}

}  // namespace

Operand parse_literal(const Token& number, bool negative) {
  const std::string_view text = number.text;
  const std::string_view prefix = text.substr(0, 2);
  const bool single = prefix == "0f" || prefix == "0F";
  if (single || prefix == "0d" || prefix == "0D") {
    if (negative || text.size() != (single ? 10 : 18))
      refuse_number(number);
    return float_operand(integer(number, text.substr(2), 16), single ? 4 : 8);
  }
  if (is_decimal_float(text))
    return decimal_float(number, negative);

  const std::string_view digits = text.substr(0, text.size() - (text.back() == 'U' ? 1 : 0));
  std::uint64_t magnitude = 0;
  if (prefix == "0x" || prefix == "0X")
    magnitude = integer(number, digits.substr(2), 16);
  else if (prefix == "0b" || prefix == "0B")
    magnitude = integer(number, digits.substr(2), 2);
  else
    magnitude = integer(number, digits, digits.size() > 1 && digits.front() == '0' ? 8 : 10);
  if (negative && magnitude > std::uint64_t{1} << 63)
    refuse_number(number);

  Operand operand;
  operand.kind = Operand::Kind::immediate;
  operand.bits = negative ? std::uint64_t{0} - magnitude : magnitude;
  return operand;
}

}  // namespace attentune::ptx
