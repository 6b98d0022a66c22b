#pragma once

#include <proto/msgpack/reader.hpp>
#include <proto/msgpack/writer.hpp>
#include <proto/raftwire/header.hpp>

#include <variant>

namespace switchyard::raftwire {

/// One object as it stands on the wire.
using Raw = std::span<const std::byte>;

/// A key of a Go struct and where its value goes.
struct Field {
  std::string_view key;
  std::variant<std::uint64_t*, std::int64_t*, bool*, std::string_view*, Raw*> value;
};

/// Reads a map by its keys: any order, unknown ones skipped whatever their type, the last of equal
/// ones counting, missing and nil ones left as they are. What is wrong stays in `reader`.
void read_fields(msgpack::Reader& reader, std::span<const Field> fields) noexcept;

/// Says what `reader` has come to: no error, Error::Incomplete or a msgpack::Error.
[[nodiscard]] boost::system::error_code outcome(const msgpack::Reader& reader) noexcept;

/// Reads a whole message: `fields` and, if `header` is not null, the header between them.
[[nodiscard]] boost::system::error_code read_message(
    Raw object,
    const msgpack::Limits& limits,
    Header* header,
    std::span<const Field> fields) noexcept;

/// True for what an index, a term or a count can be: below 2^63.
[[nodiscard]] constexpr bool in_range(std::uint64_t number) noexcept {
  return number >> 63 == 0;
}

/// Bytes, which Go writes as nil when there are none.
void write_bytes(msgpack::Writer& writer, std::string_view bytes);

/// A key and its number, flag or bytes.
void write(msgpack::Writer& writer, std::string_view key, std::uint64_t value);
void write(msgpack::Writer& writer, std::string_view key, std::string_view bytes);
void write_flag(msgpack::Writer& writer, std::string_view key, bool value);

/// Begins the map of a message with so many fields beside the header's.
void begin_message(msgpack::Writer& writer, const Header& header, std::uint32_t fields);

/// The header's fields, each at its place in the order of keys; ID and Addr in the new form only.
void write_address(msgpack::Writer& writer, const Header& header);
void write_id(msgpack::Writer& writer, const Header& header);
void write_version(msgpack::Writer& writer, const Header& header);

} // namespace switchyard::raftwire
