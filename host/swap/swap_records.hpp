#pragma once

#include <host/config/config.hpp>
#include <host/crash/crash_box.hpp>

#include <boost/json/object.hpp>
#include <boost/system/result.hpp>

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace switchyard::host {

class Generations;
class Instance;

/// A version of a plugin of which the data directory has a copy.
struct KeptVersion {
  std::string copy;   ///< path of it, absolute
  std::string sha256; ///< of it
  std::string version;
  std::string source;      ///< where it came from
  bool configured = false; ///< it is what plugins.toml said

  friend bool operator==(const KeptVersion&, const KeptVersion&) = default;
};

/// What is remembered of one plugin that has been swapped.
struct SwapRecord {
  KeptVersion now;
  std::optional<KeptVersion> before;     ///< the last one that was good
  std::uint32_t crashes = 0;             ///< of `now`
  bool quarantined = false;              ///< `now` is not started any more; `before` is
  std::optional<KeptVersion> on_trial{}; ///< serves, and is in its rollback window

  friend bool operator==(const SwapRecord&, const SwapRecord&) = default;
};

/// Why a version cannot be kept: a sentence.
struct KeepFault {
  std::string text;
};

/// So often a version that was swapped in may end the process before it is quarantined.
inline constexpr std::uint32_t kCrashesMax = 2;

using SwapRecordMap = std::map<std::string, SwapRecord, std::less<>>; ///< by plugin

/// Text of the file and back; a sentence when it is not such a text. Pure.
[[nodiscard]] std::string to_text(const SwapRecordMap& records);
[[nodiscard]] boost::system::result<SwapRecordMap, std::string>
parse_swap_records(std::string_view text);

/// Counts a crash of the version in `record` that `crash` speaks of. True when it is quarantined
/// by that: on trial at once. Pure.
[[nodiscard]] bool count_crash(SwapRecord& record, const CrashRecord& crash);

/// What outlives the process of versions that were swapped: `<data_dir>/swapped.json`, and copies
/// of them in `<data_dir>/kept`. One thread.
class SwapRecords {
public:
  /// Reads what an earlier process has left. Else a sentence.
  [[nodiscard]] static boost::system::result<SwapRecords, std::string>
  open(const std::string& data_dir);

  /// Puts what was swapped in, or what was before a version that is quarantined, in the place of
  /// `config`'s own. What cannot be used any more is forgotten: a sentence each.
  [[nodiscard]] std::vector<std::string> overlay(Config& config);

  /// A process before this one has crashed. A sentence about what that leads to, if to anything.
  [[nodiscard]] std::optional<std::string> crashed(const CrashRecord& crash);

  /// The generation that serves is on trial, after `before`; until committed() or taken_back(). A
  /// sentence when it cannot be kept.
  [[nodiscard]] boost::system::result<void, KeepFault>
  flipped(const Generations& plugin, const Instance& before, const HostConfig& host);

  /// It was not good: what was before it is in use again.
  void taken_back(std::string_view plugin);

  /// The generation that serves stays, and follows `before` (null: nothing that served). Returns
  /// what is in the place of the plugin's library now: a path, or "" when plugins.toml holds. A
  /// sentence when it cannot be kept.
  [[nodiscard]] boost::system::result<std::string, KeepFault>
  committed(const Generations& plugin, const Instance* before, const HostConfig& host);

  /// The copy of the version before the one that is in use; empty when none is known.
  [[nodiscard]] std::string before(std::string_view plugin) const;

  /// plugins.toml names the version that is in use, now.
  void named(std::string_view plugin);

  /// plugins.toml holds again for a plugin of this name.
  void discard(std::string_view plugin);

  /// What `status` and `plugin why` say of it; empty when there is nothing to say.
  [[nodiscard]] boost::json::object describe(std::string_view plugin) const;

private:
  explicit SwapRecords(std::string data_dir) : data_dir_{std::move(data_dir)} {}

  boost::system::result<KeptVersion, KeepFault>
  keep(const Generations& plugin, const Instance& generation, const HostConfig& host);
  [[nodiscard]] std::string plugin_in_place(std::string_view plugin) const;
  [[nodiscard]] std::string source_of(const Instance& generation) const;
  std::optional<std::string> save();

  std::string data_dir_; ///< absolute
  SwapRecordMap records_;
};

} // namespace switchyard::host
