// ELF: System V ABI, chapters 4 and 5 (gabi, "Object Files"); relocation types: x86-64 psABI 4.4, AArch64 ELF ABI 5.7.
#include "runtime/llvm/elf_object.h"

#include <elf.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <optional>

#include <fmt/format.h>

#include "generator/error.h"

namespace attentune::llvm_backend {
namespace {

#if defined(__x86_64__)
constexpr Elf64_Half machine = EM_X86_64;
#else
constexpr Elf64_Half machine = EM_AARCH64;
#endif
constexpr std::uint64_t max_alignment = 4096;
constexpr std::uint64_t max_zeroed = std::uint64_t{64} << 20;  // what one NOBITS section may ask for

[[noreturn]] void fail(const std::string& what) {
  throw Error(Status::device_failed, "the kernel's object file is damaged: " + what + "; compile it again");
}

// Bytes a relocation writes; nothing for types no kernel of ours has.
std::optional<std::uint64_t> relocation_width(std::uint64_t type) {
#if defined(__x86_64__)
  switch (type) {
    case R_X86_64_64:
    case R_X86_64_PC64:
      return 8;
    case R_X86_64_32:
    case R_X86_64_32S:
    case R_X86_64_PC32:
    case R_X86_64_PLT32:
    case R_X86_64_GOTPCREL:
    case R_X86_64_GOTPCRELX:
    case R_X86_64_REX_GOTPCRELX:
      return 4;
    default:
      return std::nullopt;
  }
#else
  switch (type) {
    case R_AARCH64_ABS64:
    case R_AARCH64_PREL64:
      return 8;
    case R_AARCH64_ABS32:
    case R_AARCH64_PREL32:
    case R_AARCH64_ADR_PREL_PG_HI21:
    case R_AARCH64_ADD_ABS_LO12_NC:
    case R_AARCH64_LDST8_ABS_LO12_NC:
    case R_AARCH64_LDST16_ABS_LO12_NC:
    case R_AARCH64_LDST32_ABS_LO12_NC:
    case R_AARCH64_LDST64_ABS_LO12_NC:
    case R_AARCH64_LDST128_ABS_LO12_NC:
    case R_AARCH64_CALL26:
    case R_AARCH64_JUMP26:
    case R_AARCH64_ADR_GOT_PAGE:
    case R_AARCH64_LD64_GOT_LO12_NC:
      return 4;
    default:
      return std::nullopt;
  }
#endif
}

class Reader {
 public:
  explicit Reader(const std::vector<std::uint8_t>& bytes) : bytes_(bytes) {}

  ElfObject read() {
    read_header();
    for (std::size_t n = 0; n < sections_.size(); ++n)
      check_section(n);
    if (symbol_section_ == 0)
      fail("it has no symbol table");
    read_symbols();
    for (const Elf64_Shdr& section : sections_) {
      if (section.sh_type == SHT_RELA)
        check_relocations(section);
    }
    return std::move(object_);
  }

 private:
  // A structure anywhere in the file, aligned or not.
  template <typename T>
  T at(std::uint64_t offset, std::string_view what) const {
    if (offset > bytes_.size() || bytes_.size() - offset < sizeof(T))
      fail(fmt::format("{} lies past its end", what));
    T value;
    std::memcpy(&value, bytes_.data() + offset, sizeof value);
    return value;
  }

  void read_header() {
    const auto header = at<Elf64_Ehdr>(0, "the ELF header");
    if (std::memcmp(header.e_ident, ELFMAG, SELFMAG) != 0)
      fail("it does not begin with the ELF magic number");
    if (header.e_ident[EI_CLASS] != ELFCLASS64 || header.e_ident[EI_DATA] != ELFDATA2LSB) {
      fail("it is not a 64-bit little-endian object");
    }
    if (header.e_ident[EI_VERSION] != EV_CURRENT || header.e_version != EV_CURRENT)
      fail("its ELF version is unknown");
    if (header.e_machine != machine)
      fail(fmt::format("it is for machine {} instead of {}", header.e_machine, machine));
    if (header.e_type != ET_REL)
      fail("it is not a relocatable object");
    if (header.e_phnum != 0)
      fail("it has program headers");
    if (header.e_shentsize != sizeof(Elf64_Shdr))
      fail("its section headers have an unknown size");
    if (header.e_shnum < 2)
      fail("it has no sections");
    if (header.e_shstrndx == SHN_UNDEF || header.e_shstrndx >= header.e_shnum)
      fail("it has no section names");
    if (header.e_shoff % alignof(Elf64_Shdr) != 0)
      fail("its section headers are misaligned");
    for (std::uint64_t n = 0; n < header.e_shnum; ++n) {
      if (header.e_shoff > bytes_.size())
        fail("its section headers lie past its end");
      sections_.push_back(at<Elf64_Shdr>(header.e_shoff + n * sizeof(Elf64_Shdr), "a section header"));
    }
    names_ = header.e_shstrndx;
    if (sections_[names_].sh_type != SHT_STRTAB)
      fail("its section names are no string table");
    if (sections_[0].sh_type != SHT_NULL || sections_[0].sh_size != 0 || sections_[0].sh_link != 0) {
      fail("its first section is not the null section");
    }
  }

  void check_section(std::size_t index) {
    const Elf64_Shdr& section = sections_[index];
    const std::uint64_t alignment = std::max<std::uint64_t>(1, section.sh_addralign);
    if ((alignment & (alignment - 1)) != 0 || alignment > max_alignment)
      fail("a section's alignment is impossible");
    if (section.sh_addr != 0)
      fail("a section has an address");
    if ((section.sh_flags & (SHF_TLS | SHF_COMPRESSED | SHF_GROUP | SHF_LINK_ORDER)) != 0) {
      fail("a section has flags no kernel needs");
    }
    if (section.sh_type == SHT_NOBITS) {
      if (section.sh_size > max_zeroed)
        fail("a section of zeros is too large");
    } else if (section.sh_type != SHT_NULL &&
               (section.sh_offset > bytes_.size() || bytes_.size() - section.sh_offset < section.sh_size)) {
      fail("a section lies past its end");
    }
    (void)string(sections_[names_], section.sh_name);
    switch (section.sh_type) {
      case SHT_NULL:
      case SHT_PROGBITS:
      case SHT_NOBITS:
      case SHT_NOTE:
        break;
      case SHT_STRTAB:
        if (section.sh_size == 0 || bytes_[section.sh_offset + section.sh_size - 1] != 0) {
          fail("a string table has no end");
        }
        break;
      case SHT_SYMTAB:
        if (symbol_section_ != 0)
          fail("it has two symbol tables");
        symbol_section_ = index;
        [[fallthrough]];
      case SHT_RELA: {
        const std::uint64_t entry = section.sh_type == SHT_RELA ? sizeof(Elf64_Rela) : sizeof(Elf64_Sym);
        if (section.sh_entsize != entry || section.sh_size % entry != 0)
          fail("a table's entries have a wrong size");
        if (section.sh_offset % alignof(Elf64_Sym) != 0)
          fail("a table is misaligned");
        if (section.sh_link == 0 || section.sh_link >= sections_.size())
          fail("a section's link leads nowhere");
        break;
      }
      default:
        fail(fmt::format("it has a section of the unknown type {}", section.sh_type));
    }
  }

  // A string that ends inside its table.
  std::string_view string(const Elf64_Shdr& table, std::uint64_t offset) const {
    if (table.sh_offset > bytes_.size() || bytes_.size() - table.sh_offset < table.sh_size || offset >= table.sh_size) {
      fail("a name lies outside of its string table");
    }
    const char* const begin = reinterpret_cast<const char*>(bytes_.data() + table.sh_offset + offset);
    const std::size_t length = ::strnlen(begin, table.sh_size - offset);
    if (length == table.sh_size - offset)
      fail("a name has no end");
    return {begin, length};
  }

  void read_symbols() {
    const Elf64_Shdr& table = sections_[symbol_section_];
    const Elf64_Shdr& strings = sections_[table.sh_link];
    if (strings.sh_type != SHT_STRTAB)
      fail("its symbol names are no string table");
    symbol_count_ = table.sh_size / sizeof(Elf64_Sym);
    if (table.sh_info > symbol_count_)
      fail("its count of local symbols is too large");
    for (std::uint64_t n = 0; n < symbol_count_; ++n) {
      const auto symbol = at<Elf64_Sym>(table.sh_offset + n * sizeof(Elf64_Sym), "a symbol");
      const std::string_view name = string(strings, symbol.st_name);
      const unsigned type = ELF64_ST_TYPE(symbol.st_info);
      const unsigned binding = ELF64_ST_BIND(symbol.st_info);
      if (type != STT_NOTYPE && type != STT_OBJECT && type != STT_FUNC && type != STT_SECTION && type != STT_FILE) {
        fail("a symbol has an unknown type");
      }
      if (binding != STB_LOCAL && binding != STB_GLOBAL)
        fail("a symbol has an unknown binding");
      if ((binding == STB_LOCAL) != (n < table.sh_info))
        fail("its local symbols do not come first");
      if (symbol.st_shndx == SHN_UNDEF) {
        if (n != 0) {
          if (name.empty() || binding == STB_LOCAL)
            fail("an undefined symbol has no name");
          object_.undefined.emplace_back(name);
        }
        continue;
      }
      if (symbol.st_shndx == SHN_ABS && type == STT_FILE)
        continue;
      if (symbol.st_shndx >= sections_.size())
        fail("a symbol's section does not exist");
      const Elf64_Shdr& section = sections_[symbol.st_shndx];
      if (symbol.st_value > section.sh_size || section.sh_size - symbol.st_value < symbol.st_size) {
        fail("a symbol lies outside of its section");
      }
      if (binding == STB_GLOBAL) {
        if (name.empty())
          fail("a global symbol has no name");
        if (std::find(object_.defined.begin(), object_.defined.end(), name) != object_.defined.end()) {
          fail("a symbol is defined twice");
        }
        object_.defined.emplace_back(name);
      }
    }
  }

  void check_relocations(const Elf64_Shdr& section) const {
    if (section.sh_link != symbol_section_)
      fail("relocations refer to another symbol table");
    if (section.sh_info == 0 || section.sh_info >= sections_.size())
      fail("relocations apply to no section");
    const Elf64_Shdr& target = sections_[section.sh_info];
    if (target.sh_type != SHT_PROGBITS)
      fail("relocations apply to a section without contents");
    for (std::uint64_t n = 0; n < section.sh_size / sizeof(Elf64_Rela); ++n) {
      const auto rela = at<Elf64_Rela>(section.sh_offset + n * sizeof(Elf64_Rela), "a relocation");
      const std::optional<std::uint64_t> width = relocation_width(ELF64_R_TYPE(rela.r_info));
      if (!width)
        fail(fmt::format("it has a relocation of the unknown type {}", ELF64_R_TYPE(rela.r_info)));
      if (ELF64_R_SYM(rela.r_info) >= symbol_count_)
        fail("a relocation's symbol does not exist");
      if (rela.r_offset > target.sh_size || target.sh_size - rela.r_offset < *width) {
        fail("a relocation lies outside of its section");
      }
    }
  }

  const std::vector<std::uint8_t>& bytes_;
  std::vector<Elf64_Shdr> sections_;
  std::size_t names_ = 0;
  std::size_t symbol_section_ = 0;
  std::uint64_t symbol_count_ = 0;
  ElfObject object_;
};

}  // namespace

ElfObject read_elf_object(const std::vector<std::uint8_t>& bytes) { return Reader(bytes).read(); }

}  // namespace attentune::llvm_backend
