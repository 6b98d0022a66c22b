#pragma once

#include <proto/raftwire/entry.hpp>

#include <optional>
#include <vector>

namespace switchyard::raft {

/// What a record does to the log before it.
enum class RecordKind : std::uint8_t {
  Entry = 1,    ///< adds an entry
  Truncate = 2, ///< takes away the entries from `index` on
  Reset = 3,    ///< takes away all; the next entry is `index`
};

/// One record of a segment. All numbers little endian:
///
///      0  u32  CRC-32C of everything from 4 to the end of the payload
///      4  u32  bytes of payload: data, then extensions
///      8  u64  index
///     16  u64  term
///     24  u32  synced
///     28  u32  bytes of data
///     32  u8   kind
///     33  u8   type of the entry
///     34  u48  zero
///     40       payload, then zeros up to a multiple of 8
struct Record {
  RecordKind kind = RecordKind::Entry;
  raftwire::Entry entry{}; ///< of the other kinds only the index counts

  /// Everything in the file before this offset was durable when the record was written. So a record
  /// that can be read proves that what cannot be read before that is damage, and not a torn tail.
  std::uint32_t synced = 0;
};

inline constexpr std::size_t kRecordHeaderSize = 40;
inline constexpr std::size_t kRecordAlignment = 8;

/// Bytes a record takes in the file.
[[nodiscard]] std::size_t record_size(const raftwire::Entry& entry) noexcept;

void append_record(std::vector<std::byte>& out, const Record& record);

/// A record and the bytes it took.
struct DecodedRecord {
  Record record;
  std::size_t size = 0;
};

/// Reads a record that this process itself has put there, and nobody else could have changed.
[[nodiscard]] Record view_record(std::span<const std::byte> bytes) noexcept;

/// How many bytes the record at the start of `bytes` takes, if it is one; that of a header when
/// there are not even so many.
[[nodiscard]] std::size_t claimed_record_size(std::span<const std::byte> bytes) noexcept;

/// Reads the record at the start of `bytes`, into which it points; nullopt if there is no whole and
/// sound one. Pure, no allocation.
[[nodiscard]] std::optional<DecodedRecord> decode_record(std::span<const std::byte> bytes) noexcept;

} // namespace switchyard::raft
