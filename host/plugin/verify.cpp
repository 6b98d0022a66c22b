#include <switchyard/plugin.h>

#include <host/plugin/elf.hpp>
#include <host/plugin/verify.hpp>

#include <algorithm>
#include <array>
#include <optional>

namespace switchyard::host {
namespace {

using enum RefusalCode;

/// Whatever follows the name in "libNAME.so.6", or in "libNAME_part.so.6" for a family.
constexpr std::array<std::string_view, 22> kPlatformLibraries{
    "ld-linux-x86-64",
    "ld-linux-aarch64",
    "libc",
    "libm",
    "libdl",
    "libpthread",
    "librt",
    "libresolv",
    "libgcc_s",
    "libstdc++",
    "libssl",
    "libcrypto",
    "libz",
    "libcares",
    "libre2",
    "libprotobuf",
    "libprotobuf-lite",
    "librocksdb",
    "libasan",
    "libubsan",
    "libtsan",
    "libatomic"};
constexpr std::array<std::string_view, 5> kPlatformFamilies{
    "libgrpc", "libgpr", "libabsl_", "libupb", "libaddress_sorting"};

Refusal fault_sentence(
    const ElfFault& fault, std::string_view plugin, std::string_view path, std::size_t size) {
  switch (fault.error) {
  case ElfError::NotElf: break;
  case ElfError::Truncated:
    return refuse(Truncated, plugin, {path, std::to_string(size), std::to_string(fault.number)});
  case ElfError::Malformed: return refuse(Malformed, plugin, {path, fault.what});
  case ElfError::WrongMachine:
    return refuse(WrongMachine, plugin, {path, fault.what, host_machine()});
  case ElfError::NotShared: return refuse(NotShared, plugin, {path, fault.what});
  }
  return refuse(NotElf, plugin, {path});
}

/// "a", "a and b", "a, b and 3 more"
std::string listed(const std::vector<std::string_view>& names) {
  std::string text{names[0]};
  if (names.size() == 2) text += " and " + std::string{names[1]};
  if (names.size() > 2) {
    text += ", " + std::string{names[1]} + " and " + std::to_string(names.size() - 2) + " more";
  }
  return text;
}

std::string abi_text(unsigned major, unsigned minor) {
  return std::to_string(major) + '.' + std::to_string(minor);
}

/// While the major is 0 the minor must match exactly; from 1.0 on a host takes every minor up to
/// its own.
bool speaks(const Manifest& manifest) noexcept {
  if (manifest.abi_major != SY_ABI_MAJOR) return false;
  return SY_ABI_MAJOR == 0 ? manifest.abi_minor == SY_ABI_MINOR
                           : manifest.abi_minor <= SY_ABI_MINOR;
}

constexpr bool is_descriptor(std::string_view name) noexcept {
  return name == SY_PLUGIN_SYMBOL;
}

/// What would keep the file from being loaded alone or unloaded again.
std::optional<Refusal> hazard(const ElfFile& file, std::string_view plugin, std::string_view path) {
  if (!file.unique.empty()) return refuse(UniqueSymbols, plugin, {path, listed(file.unique)});
  std::vector<std::string_view> others;
  std::ranges::remove_copy_if(file.exported, std::back_inserter(others), is_descriptor);
  if (!others.empty()) return refuse(SymbolsExtra, plugin, {path, listed(others)});
  if (file.no_delete) return refuse(NoDelete, plugin, {path});
  if (file.static_tls) return refuse(StaticTls, plugin, {path});
  for (const auto library : file.needed) {
    if (!is_platform_library(library)) return refuse(PrivateLibrary, plugin, {path, library});
  }
  return std::nullopt;
}

} // namespace

bool is_platform_library(std::string_view soname) noexcept {
  const auto stem = soname.substr(0, soname.find(".so"));
  if (stem.size() == soname.size() || soname.find('/') != soname.npos) return false;
  return std::ranges::find(kPlatformLibraries, stem) != kPlatformLibraries.end() ||
         std::ranges::any_of(
             kPlatformFamilies, [&](std::string_view family) { return stem.starts_with(family); });
}

OrRefusal<VerifiedPlugin> verify_plugin(
    std::string_view plugin,
    std::string_view path,
    std::span<const std::byte> bytes,
    Isolation isolation) {
  const auto file = read_elf(bytes);
  if (!file) return fault_sentence(file.error(), plugin, path, bytes.size());

  // The manifest first: a plugin of another ABI may be told apart by its other symbol too, and the
  // version is what its author needs to hear.
  if (file->manifests.empty()) return refuse(NoManifest, plugin, {path});
  if (file->manifests.size() > 1) {
    return refuse(TwoManifests, plugin, {path, std::to_string(file->manifests.size())});
  }
  auto text = file->manifests.front();
  if (text.find('\0') != text.size() - 1) {
    return refuse(ManifestInvalid, plugin, {path, "it does not end with its one NUL"});
  }
  text.remove_suffix(1);
  auto manifest = parse_manifest(text);
  if (!manifest) return refuse(ManifestInvalid, plugin, {path, manifest.error().clause});
  if (!speaks(*manifest)) {
    return refuse(
        WrongAbi,
        plugin,
        {path,
         abi_text(manifest->abi_major, manifest->abi_minor),
         abi_text(SY_ABI_MAJOR, SY_ABI_MINOR)});
  }
  if (std::ranges::none_of(file->exported, is_descriptor))
    return refuse(SymbolMissing, plugin, {path});
  if (isolation == Isolation::None) {
    if (auto refusal = hazard(*file, plugin, path)) return *std::move(refusal);
  }
  VerifiedPlugin verified{*std::move(manifest), std::string{text}, {}};
  for (const auto library : file->needed) {
    if (is_platform_library(library)) verified.platform.emplace_back(library);
  }
  return verified;
}

} // namespace switchyard::host
