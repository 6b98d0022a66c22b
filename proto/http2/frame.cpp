#include <proto/http2/frame.hpp>

namespace switchyard::http2 {

std::array<std::byte, kHeaderSize> encode_header(const Header& header) noexcept {
  std::array<std::byte, kHeaderSize> bytes{};
  const auto octets = reinterpret_cast<unsigned char*>(bytes.data());
  boost::endian::store_big_u32(
      octets, header.length << 8 | static_cast<std::uint32_t>(header.type));
  octets[kFlagsAt] = header.flags;
  boost::endian::store_big_u32(octets + kStreamAt, header.stream);
  return bytes;
}

} // namespace switchyard::http2
