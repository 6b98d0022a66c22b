#pragma once

#include <proto/raftwire/header.hpp>

#include <boost/system/result.hpp>

#include <cstddef>
#include <span>
#include <vector>

namespace switchyard::raftwire {

/// Since when a snapshot carries a configuration; version 0 has only Peers.
inline constexpr std::int64_t kSnapshotVersion = 1;

/// The leader sends its state because the log does not reach back far enough. `size` raw bytes, the
/// state machine's own format, follow the map and have to be read whatever the answer.
/// Views point into the bytes it was read from. Source: hashicorp/raft commands.go.
struct InstallSnapshotRequest {
  Header header{};
  std::int64_t version = kSnapshotVersion;
  std::uint64_t term = 0;
  std::string_view leader{};
  std::uint64_t last_index = 0; ///< what the snapshot covers
  std::uint64_t last_term = 0;
  std::string_view peers{};         ///< encoded as of old; may be empty
  std::string_view configuration{}; ///< encoded
  std::uint64_t configuration_index = 0;
  std::int64_t size = 0; ///< bytes, at least 0

  friend bool operator==(const InstallSnapshotRequest&, const InstallSnapshotRequest&) = default;
};

/// Go leaves the header of this answer zero.
struct InstallSnapshotAnswer {
  Header header{};
  std::uint64_t term = 0;
  bool success = false;

  friend bool operator==(const InstallSnapshotAnswer&, const InstallSnapshotAnswer&) = default;
};

/// Each reads the message whose map is `object`. They fail with Error::NumberTooLarge,
/// NegativeSize, Incomplete or a msgpack::Error; of an answer, nil is all zeros.
[[nodiscard]] boost::system::result<InstallSnapshotRequest>
decode_install_snapshot(std::span<const std::byte> object) noexcept;
[[nodiscard]] boost::system::result<InstallSnapshotAnswer>
decode_install_snapshot_answer(std::span<const std::byte> object) noexcept;

/// Appends the request with its type byte; the bytes of the snapshot are the caller's to send.
void append_request(std::vector<std::byte>& out, const InstallSnapshotRequest& request);
void append_answer(
    std::vector<std::byte>& out, const InstallSnapshotAnswer& answer, std::string_view error = {});

} // namespace switchyard::raftwire
