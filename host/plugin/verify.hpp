#pragma once

#include <host/config/isolation.hpp>
#include <host/plugin/manifest.hpp>
#include <host/plugin/refusal.hpp>

#include <cstddef>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace switchyard::host {

/// What is known of a plugin before any of its code has run.
struct VerifiedPlugin {
  Manifest manifest;
  std::string manifest_text;         ///< as in the note, without the closing NUL
  std::vector<std::string> platform; ///< sonames of the platform libraries it needs
};

/// Judges the bytes of a plugin: an ELF file for this machine, complete, one manifest for this ABI,
/// one exported symbol, nothing that would keep it in memory, no library of its own; with
/// Isolation::Process the last three do not matter, for it never leaves a process of ours. Pure.
/// `path` is what the sentence calls the file.
[[nodiscard]] OrRefusal<VerifiedPlugin> verify_plugin(
    std::string_view plugin,
    std::string_view path,
    std::span<const std::byte> bytes,
    Isolation isolation = Isolation::None);

/// A library that the host shares with its plugins for the life of the process. A name with a
/// directory in it is none.
[[nodiscard]] bool is_platform_library(std::string_view soname) noexcept;

} // namespace switchyard::host
