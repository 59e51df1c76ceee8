// run_ptx: conformance cases (tools/gpu/README.md) run on the simulator: NAME.json says how to launch NAME.ptx.
//
//   run_ptx CASE.json...                      runs each and compares the bytes that must come out
//   run_ptx CASE.json --write-expected FILE   writes the case with the bytes that came out
//   run_ptx --forms                           lists the instruction forms there are
#include <algorithm>
#include <array>
#include <bit>
#include <charconv>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstring>
#include <exception>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <memory>
#include <new>
#include <span>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <nlohmann/json.hpp>

#include "runtime/simulator/decode/registry.h"
#include "runtime/simulator/memory/tensor_map.h"
#include "runtime/simulator/ptx/module.h"
#include "runtime/simulator/simulator.h"

namespace {

using namespace attentune;
using namespace attentune::simulator;
using Json = nlohmann::ordered_json;

constexpr std::string_view usage =
    "usage: run_ptx CASE.json... [--write-expected [FILE]] [--seed N] [--asynchrony lazy|eager] [--no-races]\n"
    "               [--strict] [--sms N] [--counts]\n"
    "       run_ptx --forms\n"
    "\n"
    "Runs conformance cases (tools/gpu/README.md) on the simulator; NAME.ptx stands beside NAME.json.\n"
    "  --write-expected [FILE]  write the case with what its buffers hold afterwards, over itself or to FILE\n"
    "  --seed N                 of the order of warps and of approximate results; default 0, exact ones\n"
    "  --counts                 print what was executed\n"
    "  --forms                  print a line a form: the opcode, then the bits of its result and of each operand (1\n"
    "                           of a predicate); of what has a decoder of its own, the mnemonic alone\n"
    "Buffers with a tolerance, and informative cases, are compared under seed 0 alone. A buffer without data is\n"
    "scratch: reading what nobody wrote is a fault; one with data and without expected bytes is read only.\n"
    "Exit code 1: a fault, or other bytes than expected.\n";

constexpr std::byte poison{0xCB};
constexpr std::size_t alignment = 256;  // of cuMemAlloc

struct Deleter {
  void operator()(std::byte* bytes) const { ::operator delete(bytes, std::align_val_t{alignment}); }
};

struct Buffer {
  std::size_t argument = 0;  // of the case
  std::string name;
  std::unique_ptr<std::byte, Deleter> memory;
  std::size_t bytes = 0;

  [[nodiscard]] std::span<std::byte> span() const { return {memory.get(), bytes}; }
};

struct CommandLine {
  std::vector<std::string> cases;
  Options options{.seed = 0};
  bool counts = false;
  bool write = false;
  std::string write_to;
};

std::string read_file(const std::filesystem::path& path) {
  std::ifstream file(path, std::ios::binary);
  if (!file)
    throw std::runtime_error(fmt::format("{} cannot be read", path.string()));
  return std::string(std::istreambuf_iterator<char>(file), {});
}

std::vector<std::byte> from_hex(const std::string& digits) {
  std::vector<std::byte> bytes(digits.size() / 2);
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    std::uint8_t value = 0;
    const char* const end = digits.data() + 2 * i + 2;
    if (std::from_chars(end - 2, end, value, 16).ptr != end)
      throw std::runtime_error(fmt::format("'{}' is no byte in hex digits", std::string_view(end - 2, 2)));
    bytes[i] = std::byte{value};
  }
  return bytes;
}

std::string to_hex(std::span<const std::byte> bytes) {
  constexpr std::string_view digits = "0123456789abcdef";
  std::string text;
  text.reserve(bytes.size() * 2);
  for (const std::byte one : bytes) {
    text += digits[std::to_integer<std::size_t>(one >> 4)];
    text += digits[std::to_integer<std::size_t>(one & std::byte{15})];
  }
  return text;
}

Extent extent(const Json& given, const std::string& field) {
  const auto sides = given.value(field, std::array<std::uint32_t, 3>{1, 1, 1});
  return {.x = sides[0], .y = sides[1], .z = sides[2]};
}

// In its bytes, little endian.
std::vector<std::byte> scalar(const Json& argument) {
  const std::string type = argument.at("type");
  std::uint64_t bits = 0;
  const Json& value = argument.at("value");
  if (type == "f32") {
    const float number = value;
    bits = std::bit_cast<std::uint32_t>(number);
  } else if (type == "f64") {
    const double number = value;
    bits = std::bit_cast<std::uint64_t>(number);
  } else if (type.front() == 's') {
    bits = static_cast<std::uint64_t>(value.get<std::int64_t>());
  } else {
    bits = value.get<std::uint64_t>();
  }
  constexpr std::array<std::string_view, 8> types{"u8", "u16", "u32", "u64", "s32", "s64", "f32", "f64"};
  constexpr std::array<std::size_t, 8> sizes{1, 2, 4, 8, 4, 8, 4, 8};
  const auto* const found = std::ranges::find(types, type);
  if (found == types.end())
    throw std::runtime_error(fmt::format("a scalar of type '{}'", type));
  std::vector<std::byte> bytes(sizes.at(static_cast<std::size_t>(found - types.begin())));
  std::memcpy(bytes.data(), &bits, bytes.size());
  return bytes;
}

TensorElement tensor_element(const std::string& name) {
  constexpr std::array<std::pair<std::string_view, TensorElement>, 10> known{{{"u8", TensorElement::u8},
                                                                              {"u16", TensorElement::u16},
                                                                              {"u32", TensorElement::u32},
                                                                              {"s32", TensorElement::s32},
                                                                              {"u64", TensorElement::u64},
                                                                              {"s64", TensorElement::s64},
                                                                              {"f16", TensorElement::f16},
                                                                              {"f32", TensorElement::f32},
                                                                              {"f64", TensorElement::f64},
                                                                              {"bf16", TensorElement::bf16}}};
  for (const auto& [type, element] : known) {
    if (type == name)
      return element;
  }
  throw std::runtime_error(fmt::format("a tensor map of type '{}'", name));
}

template <std::size_t n, class T>
void copy_sides(const Json& given, std::size_t count, std::array<T, n>& sides) {
  if (given.size() != count || count > n)
    throw std::runtime_error(fmt::format("a tensor map with {} in the place of {} numbers", given.dump(), count));
  std::ranges::copy(given.get<std::vector<T>>(), sides.begin());
}

EncodedTensorMap tensor_map(const Json& argument, std::uint64_t address) {
  const Json& dims = argument.at("dims");
  TensorMapFields map{.address = address,
                      .element = tensor_element(argument.at("type")),
                      .rank = static_cast<std::uint32_t>(dims.size()),
                      .swizzle_bytes = argument.at("swizzle"),
                      .nan_fill = argument.value("nan_fill", false)};
  copy_sides(dims, map.rank, map.size);
  copy_sides(argument.at("box"), map.rank, map.box);
  copy_sides(argument.at("strides"), map.rank - 1, map.stride_bytes);
  if (argument.contains("steps"))
    copy_sides(argument.at("steps"), map.rank, map.step);
  if (const std::string why = defect(map); !why.empty())
    throw std::runtime_error(fmt::format("the tensor map {}: {}", argument.at("name").dump(), why));
  return encode(map);
}

class Case {
 public:
  Case(const std::string& path, const Options& options)
      : path_(path),
        json_(Json::parse(read_file(path))),
        module_(ptx::parse(read_file(std::filesystem::path(path).replace_extension(".ptx")))),
        simulator_(module_, options) {
    const Json& arguments = json_.at("arguments");
    for (std::size_t i = 0; i < arguments.size(); ++i) {
      if (arguments.at(i).at("kind") == "buffer")
        add_buffer(i);
    }
    for (const Json& argument : arguments)
      add_parameter(argument);
  }

  Report run() {
    const LaunchShape shape{.grid = extent(json_, "grid"),
                            .block = extent(json_, "block"),
                            .cluster = extent(json_, "cluster"),
                            .dynamic_shared_bytes = json_.value("shared_bytes", 0U)};
    const std::string entry = json_.at("entry");
    return simulator_.run(entry, shape, parameter_block(entry));
  }

  // The first difference as a sentence, "" where every compared byte is as expected.
  [[nodiscard]] std::string difference(bool exact) const {
    for (const Buffer& buffer : buffers_) {
      const Json& argument = json_.at("arguments").at(buffer.argument);
      const bool open = argument.contains("tolerance_ulp") || json_.contains("informative");
      if (!argument.contains("expected") || (!exact && open))
        continue;
      const std::vector<std::byte> wanted = from_hex(argument.at("expected"));
      const auto [want, got] = std::ranges::mismatch(wanted, buffer.span());
      if (want != wanted.end() || got != buffer.span().end())
        return fmt::format("{} differs from what is expected, first in byte {}", buffer.name, want - wanted.begin());
    }
    return "";
  }

  // A line a field and a line an argument, as a reader wants to compare them.
  void write_expected(const std::string& to) {
    for (const Buffer& buffer : buffers_) {
      Json& argument = json_.at("arguments").at(buffer.argument);
      if (argument.contains("expected"))
        argument["expected"] = to_hex(buffer.span());
    }
    std::string text;
    for (const auto& [field, value] : json_.items()) {
      if (field != "arguments")
        text += fmt::format("{} {}: {}", text.empty() ? "{\n" : ",\n", Json(field).dump(), value.dump());
    }
    text += ",\n \"arguments\": [";
    for (std::size_t i = 0; i < json_.at("arguments").size(); ++i)
      text += fmt::format("{}  {}", i == 0 ? "\n" : ",\n", json_.at("arguments").at(i).dump());
    std::ofstream(to.empty() ? path_ : to, std::ios::binary) << text << "\n ]\n}\n";
  }

 private:
  void add_buffer(std::size_t index) {
    const Json& argument = json_.at("arguments").at(index);
    const std::vector<std::byte> data = from_hex(argument.value("data", ""));
    const std::size_t expected = argument.value("expected", "").size() / 2;
    const std::size_t bytes = argument.value("bytes", std::max(data.size(), expected));
    if (data.size() > bytes)
      throw std::runtime_error(
          fmt::format("the data of {} do not fit its {} bytes", argument.at("name").dump(), bytes));
    auto* const memory = static_cast<std::byte*>(::operator new(bytes, std::align_val_t{alignment}));
    buffers_.push_back({.argument = index,
                        .name = argument.at("name"),
                        .memory = std::unique_ptr<std::byte, Deleter>(memory),
                        .bytes = bytes});
    const Buffer& buffer = buffers_.back();
    const BufferAccess access = data.empty()                    ? BufferAccess::scratch
                                : argument.contains("expected") ? BufferAccess::read_write
                                                                : BufferAccess::read;
    simulator_.register_buffer(memory, bytes, buffer.name, access);
    std::ranges::fill(buffer.span(), poison);
    std::ranges::copy(data, buffer.span().begin());
  }

  [[nodiscard]] std::uint64_t address_of(const std::string& name) const {
    const auto found = std::ranges::find(buffers_, name, &Buffer::name);
    if (found == buffers_.end())
      throw std::runtime_error(fmt::format("there is no buffer '{}'", name));
    return std::bit_cast<std::uint64_t>(found->memory.get());
  }

  // The bytes the kernel gets; every buffer has its memory by now.
  void add_parameter(const Json& argument) {
    const std::string kind = argument.at("kind");
    if (kind == "scalar") {
      parameters_.push_back(scalar(argument));
    } else if (kind == "tensor_map") {
      const EncodedTensorMap map = tensor_map(argument, address_of(argument.at("of")));
      parameters_.emplace_back(map.begin(), map.end());
    } else if (kind != "buffer") {
      throw std::runtime_error(fmt::format("an argument of kind '{}', which is not served", kind));
    } else if (argument.value("parameter", true)) {
      const auto address = std::bit_cast<std::array<std::byte, 8>>(address_of(argument.at("name")));
      parameters_.emplace_back(address.begin(), address.end());
    }
  }

  [[nodiscard]] std::vector<std::byte> parameter_block(const std::string& entry_name) const {
    const auto entry = std::ranges::find(module_.entries, entry_name, &ptx::Entry::name);
    if (entry == module_.entries.end())
      throw std::runtime_error(fmt::format("the PTX has no entry '{}'", entry_name));
    std::vector<std::byte> block(static_cast<std::size_t>(entry->param_bytes));
    auto value = parameters_.begin();
    for (const ptx::Variable& variable : entry->variables) {
      if (variable.space != ptx::Space::param)
        continue;
      if (value == parameters_.end() || value->size() != static_cast<std::size_t>(variable.bytes))
        throw std::runtime_error(fmt::format("parameter {} has {} bytes, and the case gives it {}", variable.name,
                                             variable.bytes, value == parameters_.end() ? 0 : value->size()));
      std::ranges::copy(*value++, block.begin() + variable.offset);
    }
    if (value != parameters_.end())
      throw std::runtime_error(fmt::format("{} has fewer parameters than the case gives", entry_name));
    return block;
  }

  std::string path_;
  Json json_;
  ptx::Module module_;
  Simulator simulator_;
  std::vector<Buffer> buffers_;
  std::vector<std::vector<std::byte>> parameters_;
};

void print(const Report& report) {
  const Counts& counts = report.counts;
  fmt::print("  instructions {}, basic blocks entered {} of {}, shared cycles {} of which conflicts {}\n",
             counts.instructions, report.coverage.blocks - report.coverage.unentered.size(), report.coverage.blocks,
             counts.shared_cycles, counts.shared_conflict_cycles);
  for (const auto& [opcode, count] : counts.by_opcode)
    fmt::print("  {:>12}  {}\n", count, opcode);
}

std::uint64_t number(std::string_view text) {
  std::uint64_t value = 0;
  const char* const end = text.data() + text.size();
  if (text.empty() || std::from_chars(text.data(), end, value).ptr != end)
    throw std::invalid_argument(fmt::format("'{}' is no number", text));
  return value;
}

Asynchrony asynchrony(std::string_view text) {
  if (text != "lazy" && text != "eager")
    throw std::invalid_argument(fmt::format("asynchrony is lazy or eager, not {}", text));
  return text == "eager" ? Asynchrony::eager : Asynchrony::lazy;
}

CommandLine parse_arguments(std::span<char*> given) {
  CommandLine line;
  for (std::size_t i = 0; i < given.size(); ++i) {
    const std::string_view argument = given[i];
    const bool more = i + 1 < given.size();
    const auto value = [&]() -> std::string_view {
      if (!more)
        throw std::invalid_argument(fmt::format("{} wants a value", argument));
      return given[++i];
    };
    if (argument == "--seed")
      line.options.seed = number(value());
    else if (argument == "--sms")
      line.options.sms = static_cast<int>(number(value()));
    else if (argument == "--asynchrony")
      line.options.asynchrony = asynchrony(value());
    else if (argument == "--no-races")
      line.options.races = false;
    else if (argument == "--strict")
      line.options.strict = true;
    else if (argument == "--counts")
      line.counts = true;
    else if (argument == "--write-expected") {
      line.write = true;
      if (more && !std::string_view(given[i + 1]).starts_with("--"))
        line.write_to = given[++i];
    } else if (argument.starts_with("--"))
      throw std::invalid_argument(fmt::format("there is no option {}", argument));
    else
      line.cases.emplace_back(argument);
  }
  if (line.cases.empty())
    throw std::invalid_argument("no case is named");
  if (!line.write_to.empty() && line.cases.size() > 1)
    throw std::invalid_argument("--write-expected FILE serves one case");
  return line;
}

// Whether the case came out as it must.
bool run(const std::string& path, const CommandLine& line) {
  try {
    Case one(path, line.options);
    const Report report = one.run();
    std::string verdict;
    if (line.write)
      one.write_expected(line.write_to);
    else
      verdict = one.difference(line.options.seed == 0);
    fmt::print("{}: {}\n", path, verdict.empty() ? "ok" : verdict);
    if (line.counts)
      print(report);
    return verdict.empty();
  } catch (const std::exception& error) {
    fmt::print(stderr, "{}: {}\n", path, error.what());
    return false;
  }
}

void print_forms() {
  const Registry registry = all_forms();
  for (const std::string& opcode : registry.opcodes()) {
    const Form& form = *registry.form(opcode);
    fmt::print("{} {} {}\n", opcode, form.output_bits, fmt::join(std::span(form.input_bits).first(form.inputs), " "));
  }
  for (const std::string& mnemonic : registry.mnemonics())
    fmt::print("{}\n", mnemonic);
}

}  // namespace

int main(int count, char** arguments) {
  const std::span<char*> given(arguments + 1, static_cast<std::size_t>(count) - 1);
  if (given.size() == 1 && (std::string_view(given[0]) == "--help" || std::string_view(given[0]) == "-h")) {
    fmt::print("{}", usage);
    return 0;
  }
  if (given.size() == 1 && std::string_view(given[0]) == "--forms") {
    print_forms();
    return 0;
  }
  try {
    const CommandLine line = parse_arguments(given);
    bool good = true;
    for (const std::string& path : line.cases)
      good = run(path, line) && good;
    return good ? 0 : 1;
  } catch (const std::invalid_argument& error) {
    fmt::print(stderr, "run_ptx: {}\n{}", error.what(), usage);
    return 2;
  }
}
