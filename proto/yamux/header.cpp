#include <proto/yamux/header.hpp>

#include <boost/endian/conversion.hpp>

namespace switchyard::yamux {
namespace {

// Field offsets; source: hashicorp/yamux spec.md, "Framing".
constexpr std::size_t kVersionAt = 0;
constexpr std::size_t kTypeAt = 1;
constexpr std::size_t kFlagsAt = 2;
constexpr std::size_t kStreamIdAt = 4;
constexpr std::size_t kLengthAt = 8;
static_assert(kLengthAt + sizeof(std::uint32_t) == kHeaderSize);

constexpr std::byte kVersion{0};

const unsigned char* octets(const std::byte* at) {
  return reinterpret_cast<const unsigned char*>(at);
}

unsigned char* octets(std::byte* at) {
  return reinterpret_cast<unsigned char*>(at);
}

} // namespace

boost::system::result<Header>
decode_header(std::span<const std::byte, kHeaderSize> bytes) noexcept {
  if (bytes[kVersionAt] != kVersion) return Error::UnknownVersion;
  if (bytes[kTypeAt] > std::byte{static_cast<std::uint8_t>(FrameType::GoAway)}) {
    return Error::UnknownType;
  }
  return Header{
      .type = static_cast<FrameType>(bytes[kTypeAt]),
      .flags = boost::endian::load_big_u16(octets(&bytes[kFlagsAt])),
      .stream_id = boost::endian::load_big_u32(octets(&bytes[kStreamIdAt])),
      .length = boost::endian::load_big_u32(octets(&bytes[kLengthAt]))};
}

std::array<std::byte, kHeaderSize> encode_header(const Header& header) noexcept {
  std::array<std::byte, kHeaderSize> bytes{};
  bytes[kVersionAt] = kVersion;
  bytes[kTypeAt] = std::byte{static_cast<std::uint8_t>(header.type)};
  boost::endian::store_big_u16(octets(&bytes[kFlagsAt]), header.flags);
  boost::endian::store_big_u32(octets(&bytes[kStreamIdAt]), header.stream_id);
  boost::endian::store_big_u32(octets(&bytes[kLengthAt]), header.length);
  return bytes;
}

} // namespace switchyard::yamux
