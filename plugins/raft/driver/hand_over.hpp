#pragma once

#include <plugins/raft/core/durable.hpp>

#include <cstdint>
#include <span>
#include <string>

namespace switchyard::raft {

/// What one version of the plugin tells the next, besides the directory that both use: what is not
/// on the disk, and enough of what is there that the next one can prove to have found all of it.
struct HandOver {
  /// How it is written; "state" of the manifest.
  static constexpr std::uint32_t kFormat = 1;

  std::string id; ///< of this server
  Ballot ballot;
  std::uint64_t last_index = 0; ///< of the log
  std::uint64_t last_term = 0;
  std::uint64_t snapshot_index = 0;
  std::uint64_t commit_index = 0;
  bool leads = false;        ///< nobody has taken the leadership over: try to have it again at once
  std::string machine_error; ///< why the state machine that is registered is given nothing more

  friend bool operator==(const HandOver&, const HandOver&) = default;
};

/// A JSON object.
[[nodiscard]] std::string encode(const HandOver& handed);

/// Throws Failure when it is none, or contradicts itself.
[[nodiscard]] HandOver decode_hand_over(std::span<const std::byte> text);

} // namespace switchyard::raft
