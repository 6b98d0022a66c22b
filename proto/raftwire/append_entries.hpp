#pragma once

#include <proto/raftwire/entry.hpp>
#include <proto/raftwire/header.hpp>
#include <proto/raftwire/limits.hpp>

#include <vector>

namespace switchyard::raftwire {

/// The leader's word: entries, a commit index, or only that it leads. All views point into the
/// bytes it was read from. Source: hashicorp/raft commands.go.
struct AppendEntriesRequest {
  Header header{};
  std::uint64_t term = 0;
  std::string_view leader{}; ///< its address; the header's is to be preferred where there is one
  std::uint64_t previous_index = 0;
  std::uint64_t previous_term = 0;
  std::vector<Entry> entries{};
  std::uint64_t commit_index = 0;

  /// True for a message that asserts leadership and nothing else.
  [[nodiscard]] bool heartbeat() const noexcept;

  friend bool operator==(const AppendEntriesRequest&, const AppendEntriesRequest&) = default;
};

struct AppendEntriesAnswer {
  Header header{};
  std::uint64_t term = 0;
  std::uint64_t last_index = 0; ///< before the request; a hint after a failure, else worth nothing
  bool success = false;
  bool no_retry_backoff = false;

  friend bool operator==(const AppendEntriesAnswer&, const AppendEntriesAnswer&) = default;
};

/// Reads the request whose map is `object`. Its entries follow PrevLogEntry without a gap, their
/// terms neither fall nor exceed the request's, and those that change servers do so validly.
/// Fails with any Error but UnknownRequest, or a msgpack::Error.
[[nodiscard]] boost::system::result<AppendEntriesRequest>
decode_append_entries(std::span<const std::byte> object, const Limits& limits = {});

/// Reads the answer whose map is `object`; nil is all zeros. Fails with Error::NumberTooLarge,
/// Incomplete or a msgpack::Error.
[[nodiscard]] boost::system::result<AppendEntriesAnswer>
decode_append_entries_answer(std::span<const std::byte> object) noexcept;

/// Appends the request with its type byte, byte for byte as Go writes it but for AppendedAt.
void append_request(std::vector<std::byte>& out, const AppendEntriesRequest& request);

/// Appends the answer with its error text, which is usually empty.
void append_answer(
    std::vector<std::byte>& out, const AppendEntriesAnswer& answer, std::string_view error = {});

} // namespace switchyard::raftwire
