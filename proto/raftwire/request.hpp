#pragma once

#include <proto/msgpack/extent.hpp>
#include <proto/raftwire/append_entries.hpp>
#include <proto/raftwire/install_snapshot.hpp>
#include <proto/raftwire/request_type.hpp>
#include <proto/raftwire/timeout_now.hpp>
#include <proto/raftwire/vote.hpp>

#include <optional>
#include <variant>

namespace switchyard::raftwire {

using Request = std::variant<
    AppendEntriesRequest,
    RequestVoteRequest,
    InstallSnapshotRequest,
    TimeoutNowRequest,
    PreVoteRequest>;

/// A request that has arrived whole, but for the bytes of a snapshot, which follow it.
struct RequestFrame {
  RequestType type = RequestType::AppendEntries;
  std::span<const std::byte> object; ///< its map
  std::size_t size = 0;              ///< bytes on the wire: the next request begins there

  [[nodiscard]] boost::system::result<Request> decode(const Limits& limits = {}) const;
};

/// Finds the end of one request while it arrives; every head is looked at once, payloads not at
/// all. One for each request. No allocation.
class RequestExtent {
public:
  explicit RequestExtent(const Limits& limits = {}) noexcept : extent_{limits.object} {}

  /// Goes on where the last call stopped. `bytes` begins at the type byte and is never shorter than
  /// before. Nullopt while the end has not arrived. Fails with Error::UnknownRequest or with
  /// msgpack::Error Reserved, TooDeep or TooLarge: then there is no telling where the next begins.
  [[nodiscard]] boost::system::result<std::optional<RequestFrame>>
  scan(std::span<const std::byte> bytes) noexcept;

private:
  msgpack::Extent extent_;
};

} // namespace switchyard::raftwire
