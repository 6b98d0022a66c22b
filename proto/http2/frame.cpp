#include <proto/http2/frame.hpp>

#include <boost/endian/conversion.hpp>

namespace switchyard::http2 {
namespace {

// Field offsets; source: RFC 9113 §4.1.
constexpr std::size_t kLengthAt = 0;
constexpr std::size_t kTypeAt = 3;
constexpr std::size_t kFlagsAt = 4;
constexpr std::size_t kStreamAt = 5;
static_assert(kStreamAt + sizeof(std::uint32_t) == kHeaderSize);

const unsigned char* octets(const std::byte* at) {
  return reinterpret_cast<const unsigned char*>(at);
}

unsigned char* octets(std::byte* at) {
  return reinterpret_cast<unsigned char*>(at);
}

} // namespace

Header decode_header(std::span<const std::byte, kHeaderSize> bytes) noexcept {
  return Header{
      .length = boost::endian::load_big_u24(octets(&bytes[kLengthAt])),
      .type = static_cast<FrameType>(bytes[kTypeAt]),
      .flags = std::to_integer<std::uint8_t>(bytes[kFlagsAt]),
      .stream = boost::endian::load_big_u32(octets(&bytes[kStreamAt])) & kLastStream};
}

std::array<std::byte, kHeaderSize> encode_header(const Header& header) noexcept {
  std::array<std::byte, kHeaderSize> bytes{};
  boost::endian::store_big_u24(octets(&bytes[kLengthAt]), header.length);
  bytes[kTypeAt] = std::byte{static_cast<std::uint8_t>(header.type)};
  bytes[kFlagsAt] = std::byte{header.flags};
  boost::endian::store_big_u32(octets(&bytes[kStreamAt]), header.stream);
  return bytes;
}

} // namespace switchyard::http2
