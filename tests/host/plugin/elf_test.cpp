#include <host/plugin/elf.hpp>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <tests/host/broken_plugins/bytes.hpp>

#include <elf.h>

namespace switchyard::host {
namespace {

using testing::Contains;
using testing::ElementsAre;
using testing::IsEmpty;

TEST(Elf, SaysWhatASharedObjectCarries) {
  const auto bytes = read_file(fixture("one"));
  const auto file = read_elf(as_span(bytes));

  ASSERT_TRUE(file) << file.error().what;
  EXPECT_THAT(file->exported, ElementsAre("switchyard_plugin_v0"));
  EXPECT_THAT(file->unique, IsEmpty());
  EXPECT_THAT(file->needed, Contains("libc.so.6"));
  ASSERT_EQ(file->manifests.size(), 1U);
  EXPECT_EQ(
      file->manifests[0], std::string{R"({"abi":"0.5","id":"test.one","version":"1.0.0"})"} + '\0');
  EXPECT_FALSE(file->no_delete);
  EXPECT_FALSE(file->static_tls);
}

TEST(Elf, SeesWhatKeepsAnObjectInMemory) {
  const auto nodelete = read_file(fixture("nodelete"));
  const auto static_tls = read_file(fixture("static_tls"));
  const auto unique = read_file(fixture("unique_symbol"));

  EXPECT_TRUE(read_elf(as_span(nodelete))->no_delete);
  EXPECT_TRUE(read_elf(as_span(static_tls))->static_tls);
  EXPECT_THAT(read_elf(as_span(unique))->unique, ElementsAre("_ZN6SharedIiE5stateE"));
}

TEST(Elf, ReadsItselfOutOfAnyProgram) {
  // This test program: position independent, with a hundred thousand symbols, and no plugin.
  const auto bytes = read_file("/proc/self/exe");
  const auto file = read_elf(as_span(bytes));
  ASSERT_TRUE(file) << file.error().what;
  EXPECT_THAT(file->needed, Contains("libstdc++.so.6"));
  EXPECT_THAT(file->manifests, IsEmpty());
}

// The loader maps by the program headers without looking at the size: 48 of 64 such files killed
// the process with SIGBUS.
TEST(Elf, RefusesEveryTruncation) {
  for (const auto* name : {"one", "clock", "throw_in_init"}) {
    SCOPED_TRACE(name);
    const auto bytes = read_file(fixture(name));
    const auto whole = as_span(bytes);
    ASSERT_TRUE(read_elf(whole));

    std::size_t accepted = 0;
    for (std::size_t size = 0; size < whole.size(); ++size) {
      const auto file = read_elf(whole.first(size));
      if (file) {
        ++accepted;
        continue;
      }
      const auto expected = size < SELFMAG ? ElfError::NotElf : ElfError::Truncated;
      ASSERT_EQ(file.error().error, expected) << "at " << size;
      if (expected == ElfError::Truncated) {
        ASSERT_GT(file.error().number, size);
      }
    }
    EXPECT_EQ(accepted, 0U);
  }
}

struct Patch {
  std::string_view name;
  std::size_t at;
  std::string_view bytes;
  ElfFault fault;
};

std::vector<Patch> patches_of(const std::string& file) {
  Elf64_Ehdr header;
  std::memcpy(&header, file.data(), sizeof(header));
  const auto segment = [&](Elf64_Word type) {
    for (std::size_t at = header.e_phoff;; at += sizeof(Elf64_Phdr)) {
      Elf64_Phdr found;
      std::memcpy(&found, file.data() + at, sizeof(found));
      if (found.p_type == type) return at;
    }
  };
  const auto section = [&](Elf64_Word type) {
    for (std::size_t at = header.e_shoff;; at += sizeof(Elf64_Shdr)) {
      Elf64_Shdr found;
      std::memcpy(&found, file.data() + at, sizeof(found));
      if (found.sh_type == type) return at;
    }
  };
  Elf64_Phdr note;
  std::memcpy(&note, file.data() + segment(PT_NOTE), sizeof(note));
  constexpr std::string_view kHuge{"\xf0\xff\xff\xff\xff\xff\xff\xff", 8};
  constexpr std::string_view kZero{"\0\0\0\0\0\0\0\0", 8};
  const auto broken = [](const char* what) { return ElfFault{ElfError::Malformed, what}; };
  return {
      {"no magic", 0, "\x7e", {ElfError::NotElf, ""}},
      {"program headers elsewhere",
       offsetof(Elf64_Ehdr, e_phoff),
       kHuge,
       broken("program header table")},
      {"no program headers",
       offsetof(Elf64_Ehdr, e_phnum),
       kZero.substr(0, 2),
       broken("program header table")},
      {"program headers of another size",
       offsetof(Elf64_Ehdr, e_phentsize),
       {"\x20\0", 2},
       broken("program header table")},
      {"sections elsewhere", offsetof(Elf64_Ehdr, e_shoff), kHuge, broken("section table")},
      {"no sections", offsetof(Elf64_Ehdr, e_shoff), kZero, broken("section table")},
      {"segment past any file",
       segment(PT_LOAD) + offsetof(Elf64_Phdr, p_offset),
       kHuge,
       broken("program header")},
      {"segment of four megabytes",
       segment(PT_LOAD) + offsetof(Elf64_Phdr, p_filesz),
       {"\0\0\x40\0\0\0\0\0", 8},
       {ElfError::Truncated, "", 0x400000}},
      {"no dynamic section",
       segment(PT_DYNAMIC) + offsetof(Elf64_Phdr, p_type),
       kZero.substr(0, 4),
       broken("dynamic section")},
      {"empty dynamic section",
       segment(PT_DYNAMIC) + offsetof(Elf64_Phdr, p_filesz),
       kZero,
       broken("symbol table")},
      {"no symbol table",
       section(SHT_DYNSYM) + offsetof(Elf64_Shdr, sh_type),
       {"\x01\0\0\0", 4},
       broken("symbol table")},
      {"another symbol table",
       section(SHT_DYNSYM) + offsetof(Elf64_Shdr, sh_addr),
       kZero,
       broken("symbol table")},
      {"note with an endless name", note.p_offset, kHuge.substr(0, 4), broken("note")},
      {"note with an endless text", note.p_offset + 4, kHuge.substr(0, 4), broken("note")},
  };
}

TEST(Elf, NamesWhatDoesNotHoldTogether) {
  const auto whole = read_file(fixture("one"));
  ASSERT_LT(whole.size(), 0x400000U);
  for (const auto& patch : patches_of(whole)) {
    SCOPED_TRACE(patch.name);
    auto bytes = whole;
    bytes.replace(patch.at, patch.bytes.size(), patch.bytes);
    const auto file = read_elf(as_span(bytes));
    ASSERT_FALSE(file);
    EXPECT_EQ(file.error().error, patch.fault.error);
    EXPECT_EQ(file.error().what, patch.fault.what);
    EXPECT_EQ(file.error().number, patch.fault.number);
  }
}

} // namespace
} // namespace switchyard::host
