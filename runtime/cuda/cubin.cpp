// The layout of ELF64 is the System V ABI's; NVIDIA documents no more than that cubins are ELF. What is specific here
// (machine, e_flags, .nv.info records) was read off files of NVRTC 12.8 to 13.5 and checked against ptxas -v.
#include "runtime/cuda/cubin.h"

#include <algorithm>
#include <cstring>
#include <string_view>
#include <type_traits>

#include "generator/error.h"

namespace attentune::cuda {
namespace {

constexpr std::uint16_t machine_cuda = 190;
constexpr std::uint8_t osabi_cuda_13 = 0x41;        // before: 0x33, with the SM number in another byte of e_flags
constexpr std::uint32_t section_without_bytes = 8;  // SHT_NOBITS
constexpr std::uint32_t section_symbols = 2;        // SHT_SYMTAB
constexpr std::size_t section_header_bytes = 64;
constexpr std::size_t symbol_bytes = 24;
constexpr int reserved_shared_since_sm = 90;
constexpr int reserved_shared_bytes = 1024;

// Records of .nv.info.
constexpr std::uint8_t format_sized = 4;
constexpr std::uint8_t attribute_frame_size = 0x11;
constexpr std::uint8_t attribute_register_count = 0x2f;

[[noreturn]] void refuse(const std::string& what) {
  throw Error(Status::device_failed, "this is no whole cubin: " + what + "; it is compiled again when next needed");
}

class Bytes {
 public:
  explicit Bytes(const std::span<const std::uint8_t> bytes) : bytes_(bytes) {}

  [[nodiscard]] std::size_t size() const noexcept { return bytes_.size(); }
  template <typename Value>
  [[nodiscard]] Value at(const std::uint64_t offset) const {
    static_assert(std::is_trivially_copyable_v<Value>);
    Value value;
    std::memcpy(&value, part(offset, sizeof value).bytes_.data(), sizeof value);
    return value;
  }
  [[nodiscard]] Bytes part(const std::uint64_t offset, const std::uint64_t size) const {
    if (offset > bytes_.size() || size > bytes_.size() - offset)
      refuse("it ends before what its headers name");
    return Bytes(bytes_.subspan(static_cast<std::size_t>(offset), static_cast<std::size_t>(size)));
  }
  // The text at offset, up to its terminator.
  [[nodiscard]] std::string_view text(const std::uint64_t offset) const {
    const Bytes rest = part(offset, bytes_.size() - std::min<std::uint64_t>(offset, bytes_.size()));
    const auto end = std::ranges::find(rest.bytes_, std::uint8_t{0});
    if (end == rest.bytes_.end())
      refuse("a name has no end");
    return {reinterpret_cast<const char*>(rest.bytes_.data()), static_cast<std::size_t>(end - rest.bytes_.begin())};
  }

 private:
  std::span<const std::uint8_t> bytes_;
};

struct Section {
  std::string_view name;
  std::uint32_t type = 0;
  std::uint64_t size = 0;
  std::uint32_t link = 0;
  Bytes bytes;  // empty for sections without bytes
};

struct SectionHeader {
  std::uint32_t name;
  std::uint32_t type;
  std::uint64_t flags;
  std::uint64_t address;
  std::uint64_t offset;
  std::uint64_t size;
  std::uint32_t link;
  std::uint32_t info;
  std::uint64_t alignment;
  std::uint64_t entry_bytes;
};
static_assert(sizeof(SectionHeader) == section_header_bytes);

std::vector<Section> read_sections(const Bytes& file) {
  const auto table = file.at<std::uint64_t>(0x28);
  const auto stride = file.at<std::uint16_t>(0x3a);
  const auto count = file.at<std::uint16_t>(0x3c);
  const auto names_at = file.at<std::uint16_t>(0x3e);
  if (stride != section_header_bytes || names_at >= count)
    refuse("its section table is malformed");
  const Bytes headers = file.part(table, std::uint64_t{count} * section_header_bytes);
  const auto header = [&](const std::size_t index) {
    return headers.at<SectionHeader>(std::uint64_t{index} * section_header_bytes);
  };
  const auto content = [&](const SectionHeader& h) {
    return h.type == section_without_bytes ? Bytes({}) : file.part(h.offset, h.size);
  };
  const Bytes names = content(header(names_at));
  std::vector<Section> sections;
  for (std::size_t index = 0; index < count; ++index) {
    const SectionHeader h = header(index);
    sections.push_back(
        {.name = names.text(h.name), .type = h.type, .size = h.size, .link = h.link, .bytes = content(h)});
  }
  return sections;
}

int bounded(const std::uint64_t value) {
  if (value > INT32_MAX)
    refuse("a size in it is absurd");
  return static_cast<int>(value);
}

CubinEntry* find(Cubin& cubin, const std::string_view name) {
  const auto found = std::ranges::find(cubin.entries, name, &CubinEntry::name);
  return found == cubin.entries.end() ? nullptr : &*found;
}

// Calls visit(attribute, symbol, value) for each record that is a pair of a symbol and a number.
template <typename Visit>
void for_each_pair(const Bytes& info, const Visit& visit) {
  constexpr std::uint64_t head = 4;  // format, attribute, and 16 bits: a payload's size or the value itself
  std::uint64_t at = 0;
  while (at + head <= info.size()) {
    const auto format = info.at<std::uint8_t>(at);
    const auto attribute = info.at<std::uint8_t>(at + 1);
    const std::uint64_t payload = format == format_sized ? info.at<std::uint16_t>(at + 2) : 0;
    if (format == format_sized && payload == 8)
      visit(attribute, info.at<std::uint32_t>(at + head), info.at<std::uint32_t>(at + head + 4));
    at += head + payload;
  }
}

void read_info(const std::vector<Section>& sections, const Section& info, Cubin& cubin) {
  const auto symbols = std::ranges::find(sections, section_symbols, &Section::type);
  if (symbols == sections.end() || symbols->link >= sections.size())
    refuse("it has no symbols");
  const Bytes& names = sections[symbols->link].bytes;
  for_each_pair(info.bytes, [&](const std::uint8_t attribute, const std::uint32_t symbol, const std::uint32_t value) {
    if (attribute != attribute_register_count && attribute != attribute_frame_size)
      return;
    const auto name = names.text(symbols->bytes.at<std::uint32_t>(std::uint64_t{symbol} * symbol_bytes));
    CubinEntry* const entry = find(cubin, name);
    if (entry == nullptr)
      return;
    (attribute == attribute_register_count ? entry->registers : entry->stack_bytes) = bounded(value);
  });
}

}  // namespace

Cubin read_cubin(const std::span<const std::uint8_t> bytes) {
  const Bytes file(bytes);
  constexpr std::uint8_t magic[] = {0x7f, 'E', 'L', 'F', 2, 1};  // 64 bits, little-endian
  if (bytes.size() < 64 || !std::equal(std::begin(magic), std::end(magic), bytes.begin()) ||
      file.at<std::uint16_t>(0x12) != machine_cuda)
    refuse("its first bytes are not a cubin's");
  Cubin cubin;
  const auto flags = file.at<std::uint32_t>(0x30);
  cubin.sm = static_cast<int>((file.at<std::uint8_t>(7) == osabi_cuda_13 ? flags >> 8 : flags) & 0xff);

  // Program headers stand last in the file: with them in place nothing is cut off.
  constexpr std::uint64_t program_header_bytes = 56;
  (void)file.part(file.at<std::uint64_t>(0x20), file.at<std::uint16_t>(0x38) * program_header_bytes);
  const std::vector<Section> sections = read_sections(file);
  constexpr std::string_view code = ".text.";
  constexpr std::string_view shared = ".nv.shared.";
  for (const Section& section : sections) {
    if (section.name.starts_with(code))
      cubin.entries.push_back({.name = std::string(section.name.substr(code.size()))});
  }
  for (const Section& section : sections) {
    if (section.name == ".nv.info")
      read_info(sections, section, cubin);
    if (!section.name.starts_with(shared))
      continue;
    if (CubinEntry* const entry = find(cubin, section.name.substr(shared.size()))) {
      const int reserved = cubin.sm >= reserved_shared_since_sm ? reserved_shared_bytes : 0;
      entry->shared_bytes = std::max(bounded(section.size) - reserved, 0);
    }
  }
  if (cubin.entries.empty())
    refuse("it holds no kernel");
  return cubin;
}

}  // namespace attentune::cuda
