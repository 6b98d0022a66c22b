#pragma once

#include <proto/msgpack/writer.hpp>

#include <boost/system/result.hpp>

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

namespace switchyard::raftwire {

/// What an entry of the log is for. Wire values; source: hashicorp/raft log.go, LogType.
enum class EntryType : std::uint8_t {
  Command = 0,       ///< the application's
  Noop = 1,          ///< the first entry of every leader
  AddPeer = 2,       ///< before protocol version 2: the list of all peers after the change
  RemovePeer = 3,    ///< the same
  Barrier = 4,       ///< commits after everything before it
  Configuration = 5, ///< takes effect when appended
};

/// One entry of the replicated log. Type, data and extensions travel on byte for byte; no bytes and
/// nil are the same. The views belong to whoever made the entry.
struct Entry {
  std::uint64_t index = 0;
  std::uint64_t term = 0;
  EntryType type = EntryType::Command;
  std::string_view data{};
  std::string_view extensions{};

  friend bool operator==(const Entry&, const Entry&) = default;
};

/// True for the entries that say who the servers are.
[[nodiscard]] constexpr bool changes_servers(EntryType type) noexcept {
  return type == EntryType::Configuration || type == EntryType::AddPeer ||
         type == EntryType::RemovePeer;
}

/// Reads one entry, whose bytes are `object`. Fails with Error::NumberTooLarge (an index or term
/// out of range, or a term of 0), UnknownEntryType, Incomplete or a msgpack::Error.
/// The entry points into `object`. No allocation.
[[nodiscard]] boost::system::result<Entry> decode_entry(std::span<const std::byte> object) noexcept;

/// Writes `entry` without the time of its making (AppendedAt), which nobody needs.
void write_entry(msgpack::Writer& writer, const Entry& entry);

} // namespace switchyard::raftwire
