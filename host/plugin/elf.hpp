#pragma once

#include <boost/system/result.hpp>

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace switchyard::host {

/// What keeps a file from being a shared object for this machine.
enum class ElfError : std::uint8_t {
  NotElf,
  Truncated,    ///< `number`: bytes that the headers speak of
  Malformed,    ///< `what` does not hold together
  WrongMachine, ///< `what`: the machine it is for
  NotShared,    ///< `what`: what it is instead
};

struct ElfFault {
  ElfError error{};
  std::string what;
  std::uint64_t number = 0;

  friend bool operator==(const ElfFault&, const ElfFault&) = default;
};

/// What a shared object says of itself. Views into the bytes it was read from.
struct ElfFile {
  std::vector<std::string_view> manifests; ///< bytes of each note "switchyard" of type 1
  std::vector<std::string_view> exported;  ///< dynamic symbols it defines for others
  std::vector<std::string_view> unique;    ///< those of them with STB_GNU_UNIQUE
  std::vector<std::string_view> imported;  ///< dynamic symbols it takes from others
  std::vector<std::string_view> needed;    ///< DT_NEEDED
  bool no_delete = false;                  ///< DF_1_NODELETE
  bool static_tls = false;                 ///< DF_STATIC_TLS
};

/// Reads a shared object without running or mapping it. Pure. Everything that its program headers
/// and section table speak of is inside `bytes`, or the file is refused: the loader maps by the
/// former without looking, and a linker puts the latter at the end, so that no cut goes unnoticed.
/// Source: System V ABI, chapters 4 and 5; elf(5).
[[nodiscard]] boost::system::result<ElfFile, ElfFault> read_elf(std::span<const std::byte> bytes);

/// The machine this host runs on, in the words of ElfError::WrongMachine.
[[nodiscard]] std::string_view host_machine() noexcept;

} // namespace switchyard::host
