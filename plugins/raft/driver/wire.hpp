#pragma once

#include <plugins/raft/core/action.hpp>
#include <plugins/raft/log/log.hpp>

namespace switchyard::raft {

using Bytes = std::vector<std::byte>;

/// Requests of one kind to one server go over a connection of their own.
enum class Lane : std::uint8_t {
  Heartbeat, ///< waits for nothing
  Log,       ///< pipelined
  Vote,
  Snapshot, ///< one request a connection
};

[[nodiscard]] Lane lane_of(const Message& message) noexcept;

/// A request that the core wants sent.
struct Outgoing {
  SendId id = 0;
  std::string server;
  std::string address;
  Message message;
  Bytes bytes;                    ///< encoded, unless it has to be read from the disk first
  std::vector<LogPlace> places{}; ///< what is to be read for it
};

/// Everything but Replicate and SendSnapshot.
[[nodiscard]] Bytes
encode(const Message& message, const raftwire::Header& header, std::string_view leader);

[[nodiscard]] Bytes encode_entries(
    const Replicate& message,
    const raftwire::Header& header,
    std::string_view leader,
    std::vector<raftwire::Entry> entries);

/// The map of an InstallSnapshot; `size` bytes follow.
[[nodiscard]] Bytes encode_snapshot(
    const SendSnapshot& message,
    const raftwire::Header& header,
    std::string_view leader,
    std::uint64_t size);

[[nodiscard]] Bytes encode(const Answer& answer);

/// The answer to `message`; std::monostate if it cannot be one. It points into `object`.
[[nodiscard]] AnswerBody decode_answer(const Message& message, std::span<const std::byte> object);

} // namespace switchyard::raft
