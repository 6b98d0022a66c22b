#pragma once

#include <switchyard/plugin.h>

#include <host/plugin/refusal.hpp>

#include <boost/dll/config.hpp>
#include <boost/dll/shared_library.hpp>

#include <cstddef>
#include <span>
#include <string>
#include <string_view>

namespace switchyard::host {

/// A loaded plugin. It leaves the process only through unload(), which says whether it really did:
/// an object that something pins stays mapped although dlclose() reports success.
class Library {
public:
  Library() = default;

  /// Loads the copy at `staged` (absolute, never loaded before) and runs its constructors. `path`
  /// is what the sentence calls it. The libraries `platform` (sonames) and all that they need are
  /// loaded before, from where the system has them, and stay until the process ends.
  [[nodiscard]] static OrRefusal<Library> open(
      std::string_view plugin,
      std::string_view path,
      const std::string& staged,
      std::span<const std::string> platform);

  /// What it exports; the file was seen to export it.
  [[nodiscard]] const sy_plugin& descriptor() const;

  /// Where it is mapped: from its first to its last byte.
  [[nodiscard]] std::span<const std::byte> code() const;

  /// Runs its destructors and unmaps it. False: it is still mapped, and stays for good.
  [[nodiscard]] bool unload();

  /// Keeps it in memory until the process ends.
  void retain();

private:
  boost::dll::shared_library library_;
  std::string staged_;
};

} // namespace switchyard::host
