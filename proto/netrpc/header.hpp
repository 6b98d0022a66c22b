#pragma once

#include <proto/msgpack/reader.hpp>

#include <boost/system/result.hpp>

#include <optional>

namespace switchyard::netrpc {

// Names of the fields of both headers, as Go declares them.
inline constexpr std::string_view kError = "Error";
inline constexpr std::string_view kSeq = "Seq";
inline constexpr std::string_view kServiceMethod = "ServiceMethod";

/// Where one field of a header goes: to `number` if that is set, else to `text`.
struct HeaderField {
  std::string_view name;
  std::uint64_t* number = nullptr;
  std::string_view* text = nullptr;
};

/// Reads a header as go-msgpack reads a struct: a map by name, an array by position in `fields`,
/// nil as nothing; what is unknown is skipped. Returns the bytes it took, nullopt while it is cut
/// short; fails with msgpack::Error.
[[nodiscard]] boost::system::result<std::optional<std::size_t>> read_header(
    std::span<const std::byte> bytes,
    std::span<const HeaderField> fields,
    std::uint32_t bytes_max) noexcept;

} // namespace switchyard::netrpc
