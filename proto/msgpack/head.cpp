#include <proto/msgpack/head.hpp>

#include <boost/endian/conversion.hpp>

#include <array>

namespace switchyard::msgpack {
namespace {

/// A format from c0 to df: what it begins, and the bytes between the format byte and the payload.
struct Format {
  Kind kind;
  std::uint8_t number_size; ///< bytes of big-endian number
  std::uint8_t type_size;   ///< 1 for an extension's type byte
  std::uint8_t fixed;       ///< the number of a format that carries none
};

// Source: msgpack spec.md, "Formats", "Overview"; c0 first.
constexpr std::array<Format, 32> kFormats{{
    {Kind::Nil, 0, 0, 0},        {Kind::Reserved, 0, 0, 0},  {Kind::Bool, 0, 0, 0},
    {Kind::Bool, 0, 0, 1},       {Kind::Binary, 1, 0, 0},    {Kind::Binary, 2, 0, 0},
    {Kind::Binary, 4, 0, 0},     {Kind::Extension, 1, 1, 0}, {Kind::Extension, 2, 1, 0},
    {Kind::Extension, 4, 1, 0},  {Kind::Float32, 4, 0, 0},   {Kind::Float64, 8, 0, 0},
    {Kind::Unsigned, 1, 0, 0},   {Kind::Unsigned, 2, 0, 0},  {Kind::Unsigned, 4, 0, 0},
    {Kind::Unsigned, 8, 0, 0},   {Kind::Signed, 1, 0, 0},    {Kind::Signed, 2, 0, 0},
    {Kind::Signed, 4, 0, 0},     {Kind::Signed, 8, 0, 0},    {Kind::Extension, 0, 1, 1},
    {Kind::Extension, 0, 1, 2},  {Kind::Extension, 0, 1, 4}, {Kind::Extension, 0, 1, 8},
    {Kind::Extension, 0, 1, 16}, {Kind::String, 1, 0, 0},    {Kind::String, 2, 0, 0},
    {Kind::String, 4, 0, 0},     {Kind::Array, 2, 0, 0},     {Kind::Array, 4, 0, 0},
    {Kind::Map, 2, 0, 0},        {Kind::Map, 4, 0, 0},
}};

std::uint64_t load_big(const std::byte* at, std::uint8_t size) noexcept {
  const auto* bytes = reinterpret_cast<const unsigned char*>(at);
  switch (size) {
  case 1: return bytes[0];
  case 2: return boost::endian::load_big_u16(bytes);
  case 4: return boost::endian::load_big_u32(bytes);
  default: return boost::endian::load_big_u64(bytes);
  }
}

std::uint64_t sign_extended(std::uint64_t number, std::uint8_t size) noexcept {
  switch (size) {
  case 1: return static_cast<std::uint64_t>(static_cast<std::int8_t>(number));
  case 2: return static_cast<std::uint64_t>(static_cast<std::int16_t>(number));
  case 4: return static_cast<std::uint64_t>(static_cast<std::int32_t>(number));
  default: return number;
  }
}

} // namespace

std::optional<Head> decode_head(std::span<const std::byte> bytes) noexcept {
  if (bytes.empty()) return std::nullopt;

  const auto first = std::to_integer<std::uint8_t>(bytes[0]);
  if (first <= 0x7f) return Head{Kind::Unsigned, 1, first};
  if (first <= 0x8f) return Head{Kind::Map, 1, first & 0x0fU};
  if (first <= 0x9f) return Head{Kind::Array, 1, first & 0x0fU};
  if (first <= 0xbf) return Head{Kind::String, 1, first & 0x1fU};
  if (first >= 0xe0) return Head{Kind::Signed, 1, sign_extended(first, 1)};

  const auto& format = kFormats[first - 0xc0U];
  const auto size = static_cast<std::uint8_t>(1 + format.number_size + format.type_size);
  if (bytes.size() < size) return std::nullopt;
  if (format.number_size == 0) return Head{format.kind, size, format.fixed};

  const auto number = load_big(bytes.data() + 1, format.number_size);
  if (format.kind != Kind::Signed) return Head{format.kind, size, number};
  return Head{Kind::Signed, size, sign_extended(number, format.number_size)};
}

} // namespace switchyard::msgpack
