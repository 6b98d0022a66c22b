#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace switchyard::host {

/// What a fatal signal left behind of the process that it ended.
struct CrashRecord {
  std::string plugin; ///< whose code ran; empty: none could be told
  std::uint32_t generation = 0;
  std::string sha256;
  int signal = 0;
  std::string function; ///< the call of the host into a plugin that was under way; may be empty

  friend bool operator==(const CrashRecord&, const CrashRecord&) = default;
};

/// Who is in memory where, so that a crash can be told to be a plugin's. Any thread; more than 256
/// at once are not remembered.
class LoadedCode {
public:
  /// `plugin` is its name; of longer texts the beginning is kept.
  LoadedCode(
      const void* begin,
      std::size_t size,
      std::string_view plugin,
      std::uint32_t generation,
      std::string_view sha256) noexcept;
  ~LoadedCode();
  LoadedCode(LoadedCode&& other) noexcept;
  LoadedCode& operator=(LoadedCode&&) = delete;

  /// It stays in memory for good.
  void stay() noexcept { slot_ = nullptr; }

private:
  void* slot_;
};

/// From now on SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT and SIGTRAP write a line to standard error
/// and a record to `file`, whose former contents are lost, before they end the process as they
/// would have: by the same signal, at the same instruction, with the same core. False when `file`
/// cannot be made.
[[nodiscard]] bool install_crash_box(const std::string& file);

/// Takes the record that a process before this one has left in `file`, which is removed. Nothing
/// when it has not crashed.
[[nodiscard]] std::optional<CrashRecord> take_crash_record(const std::string& file);

/// The text of a record. Pure; anything but what a crash writes gives nothing.
[[nodiscard]] std::optional<CrashRecord> parse_crash_record(std::string_view text);

} // namespace switchyard::host
