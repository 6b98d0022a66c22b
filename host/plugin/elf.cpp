#include <host/plugin/elf.hpp>

#include <algorithm>
#include <bit>
#include <cstring>
#include <elf.h>
#include <optional>

namespace switchyard::host {
namespace {

#if defined(__x86_64__)
constexpr std::uint16_t kMachine = EM_X86_64;
#elif defined(__aarch64__)
constexpr std::uint16_t kMachine = EM_AARCH64;
#else
#error "name this machine: elf(5), e_machine"
#endif
static_assert(std::endian::native == std::endian::little);

constexpr std::string_view kNoteName{"switchyard\0", 11};
constexpr std::uint32_t kNoteType = 1;

/// Thrown where something does not hold together; ends read_elf only.
using Fault = ElfFault;

[[noreturn]] void malformed(std::string what) {
  throw Fault{ElfError::Malformed, std::move(what)};
}

std::string machine_name(std::uint16_t machine) {
  switch (machine) {
  case EM_386: return "32-bit x86";
  case EM_ARM: return "32-bit ARM";
  case EM_X86_64: return "x86-64";
  case EM_AARCH64: return "AArch64";
  case EM_RISCV: return "RISC-V";
  default: return "ELF machine " + std::to_string(machine);
  }
}

std::string type_name(std::uint16_t type) {
  switch (type) {
  case ET_REL: return "an object file (.o)";
  case ET_EXEC: return "an executable";
  case ET_CORE: return "a core file";
  default: return "ELF type " + std::to_string(type);
  }
}

/// Part of the file, in bytes.
struct Range {
  std::uint64_t offset = 0;
  std::uint64_t size = 0;

  [[nodiscard]] std::uint64_t end(const char* what) const {
    std::uint64_t end = 0;
    if (__builtin_add_overflow(offset, size, &end)) malformed(what);
    return end;
  }
};

class Reader {
public:
  explicit Reader(std::span<const std::byte> bytes) : bytes_{bytes} {}

  ElfFile read() {
    read_header();
    read_tables();
    read_notes();
    read_dynamic();
    read_symbols();
    return std::move(file_);
  }

private:
  /// The `at`-th T in `range`, which check_inside() has seen. The structures are this machine's
  /// own.
  template <class T>
  [[nodiscard]] T get(const Range& range, std::uint64_t at) const {
    T value;
    std::memcpy(&value, bytes_.data() + range.offset + at * sizeof(T), sizeof(T));
    return value;
  }

  [[nodiscard]] std::string_view text(const Range& range) const {
    return {reinterpret_cast<const char*>(bytes_.data()) + range.offset, range.size};
  }

  void check_inside(const Range& range, const char* what) const {
    const auto end = range.end(what);
    if (end > bytes_.size()) throw Fault{ElfError::Truncated, {}, end};
  }

  void read_header() {
    const auto size = std::min<std::size_t>(bytes_.size(), SELFMAG);
    if (size < SELFMAG || std::memcmp(bytes_.data(), ELFMAG, SELFMAG) != 0) {
      throw Fault{ElfError::NotElf, {}};
    }
    check_inside({0, sizeof(Elf64_Ehdr)}, "header");
    header_ = get<Elf64_Ehdr>({0, sizeof(Elf64_Ehdr)}, 0);
    if (header_.e_ident[EI_CLASS] != ELFCLASS64 || header_.e_ident[EI_DATA] != ELFDATA2LSB ||
        header_.e_machine != kMachine) {
      // In another byte order or class the number is not to be trusted, unless it is a known one.
      auto name = machine_name(header_.e_machine);
      if (header_.e_machine == kMachine) name += " of another class or byte order";
      throw Fault{ElfError::WrongMachine, std::move(name)};
    }
    if (header_.e_type != ET_DYN) throw Fault{ElfError::NotShared, type_name(header_.e_type)};
  }

  /// Both tables, and that everything they speak of is there.
  void read_tables() {
    if (header_.e_phoff == 0 || header_.e_phnum == 0 || header_.e_phentsize != sizeof(Elf64_Phdr)) {
      malformed("program header table");
    }
    if (header_.e_shoff == 0 || header_.e_shnum == 0 || header_.e_shentsize != sizeof(Elf64_Shdr)) {
      malformed("section table");
    }
    const Range segments{header_.e_phoff, header_.e_phnum * sizeof(Elf64_Phdr)};
    const Range sections{header_.e_shoff, header_.e_shnum * sizeof(Elf64_Shdr)};
    auto needed = std::max(segments.end("program header table"), sections.end("section table"));
    if (needed <= bytes_.size()) {
      for (std::size_t at = 0; at < header_.e_phnum; ++at) {
        segments_.push_back(get<Elf64_Phdr>(segments, at));
        const auto& segment = segments_.back();
        needed = std::max(needed, Range{segment.p_offset, segment.p_filesz}.end("program header"));
      }
      for (std::size_t at = 0; at < header_.e_shnum; ++at) {
        sections_.push_back(get<Elf64_Shdr>(sections, at));
        const auto& section = sections_.back();
        if (section.sh_type == SHT_NOBITS || section.sh_type == SHT_NULL) continue;
        needed = std::max(needed, Range{section.sh_offset, section.sh_size}.end("section"));
      }
    }
    if (needed > bytes_.size()) throw Fault{ElfError::Truncated, {}, needed};
  }

  void read_notes() {
    for (const auto& segment : segments_) {
      if (segment.p_type != PT_NOTE) continue;
      const std::uint64_t alignment = segment.p_align == 8 ? 8 : 4;
      const auto aligned = [&](std::uint64_t size) {
        return (size + alignment - 1) / alignment * alignment;
      };
      Range rest{segment.p_offset, segment.p_filesz};
      while (rest.size >= sizeof(Elf64_Nhdr)) {
        const auto note = get<Elf64_Nhdr>(rest, 0);
        const auto name_at = sizeof(Elf64_Nhdr);
        const auto text_at = aligned(name_at + note.n_namesz);
        if (text_at + note.n_descsz > rest.size) malformed("note");
        const auto name = text({rest.offset + name_at, note.n_namesz});
        if (note.n_type == kNoteType && name == kNoteName) {
          file_.manifests.push_back(text({rest.offset + text_at, note.n_descsz}));
        }
        const auto next = std::min(aligned(text_at + note.n_descsz), rest.size);
        rest.offset += next;
        rest.size -= next;
      }
    }
  }

  /// Where the loader will find what is at `address`, as far as it comes from the file.
  [[nodiscard]] std::optional<Range> at_address(std::uint64_t address) const {
    for (const auto& segment : segments_) {
      if (segment.p_type != PT_LOAD || address < segment.p_vaddr) continue;
      const auto into = address - segment.p_vaddr;
      if (into < segment.p_filesz) return Range{segment.p_offset + into, segment.p_filesz - into};
    }
    return std::nullopt;
  }

  [[nodiscard]] std::string_view string_at(std::uint64_t offset) const {
    if (offset >= strings_.size()) malformed("string table");
    const auto rest = strings_.substr(offset);
    const auto end = rest.find('\0');
    if (end == std::string_view::npos) malformed("string table");
    return rest.substr(0, end);
  }

  void read_dynamic() {
    const auto found = std::ranges::find(segments_, Elf64_Word{PT_DYNAMIC}, &Elf64_Phdr::p_type);
    if (found == segments_.end()) malformed("dynamic section");
    const Range dynamic{found->p_offset, found->p_filesz};

    std::vector<std::uint64_t> needed;
    std::uint64_t strings = 0;
    std::uint64_t strings_size = 0;
    for (std::size_t at = 0; at < dynamic.size / sizeof(Elf64_Dyn); ++at) {
      const auto entry = get<Elf64_Dyn>(dynamic, at);
      const auto value = entry.d_un.d_val;
      if (entry.d_tag == DT_NULL) break;
      switch (entry.d_tag) {
      case DT_NEEDED: needed.push_back(value); break;
      case DT_STRTAB: strings = value; break;
      case DT_STRSZ: strings_size = value; break;
      case DT_SYMTAB: symbols_ = value; break;
      case DT_FLAGS: file_.static_tls = (value & DF_STATIC_TLS) != 0; break;
      case DT_FLAGS_1: file_.no_delete = (value & DF_1_NODELETE) != 0; break;
      default: break;
      }
    }
    const auto table = at_address(strings);
    if (!table || table->size < strings_size) malformed("string table");
    strings_ = text({table->offset, strings_size});
    for (const auto name : needed)
      file_.needed.push_back(string_at(name));
  }

  /// The loader finds symbols by hash; how many there are stands in the section table only.
  void read_symbols() {
    const auto found = std::ranges::find(sections_, Elf64_Word{SHT_DYNSYM}, &Elf64_Shdr::sh_type);
    if (found == sections_.end() || found->sh_addr != symbols_ ||
        found->sh_entsize != sizeof(Elf64_Sym)) {
      malformed("symbol table");
    }
    const Range table{found->sh_offset, found->sh_size};
    for (std::size_t at = 0; at < table.size / sizeof(Elf64_Sym); ++at) {
      const auto symbol = get<Elf64_Sym>(table, at);
      const auto binding = ELF64_ST_BIND(symbol.st_info);
      if (binding == STB_LOCAL) continue;
      const auto name = string_at(symbol.st_name);
      if (symbol.st_shndx == SHN_UNDEF) {
        file_.imported.push_back(name);
        continue;
      }
      file_.exported.push_back(name);
      if (binding == STB_GNU_UNIQUE) file_.unique.push_back(name);
    }
  }

  std::span<const std::byte> bytes_;
  Elf64_Ehdr header_{};
  std::vector<Elf64_Phdr> segments_;
  std::vector<Elf64_Shdr> sections_;
  std::uint64_t symbols_ = 0;
  std::string_view strings_;
  ElfFile file_;
};

} // namespace

boost::system::result<ElfFile, ElfFault> read_elf(std::span<const std::byte> bytes) {
  try {
    return Reader{bytes}.read();
  } catch (const Fault& fault) {
    return fault;
  }
}

std::string_view host_machine() noexcept {
  static const std::string name = machine_name(kMachine);
  return name;
}

} // namespace switchyard::host
