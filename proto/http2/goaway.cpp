#include <proto/http2/goaway.hpp>

#include <boost/endian/conversion.hpp>

#include <algorithm>

namespace switchyard::http2 {
namespace {

constexpr std::size_t kWhyMax = 256;

void put_u32(std::vector<std::byte>& frame, std::uint32_t value) {
  std::array<unsigned char, sizeof value> bytes{};
  boost::endian::store_big_u32(bytes.data(), value);
  std::ranges::transform(
      bytes, std::back_inserter(frame), [](unsigned char byte) { return std::byte{byte}; });
}

} // namespace

std::vector<std::byte>
encode_goaway(std::uint32_t last_stream, ErrorCode code, std::string_view why) {
  const auto debug = std::as_bytes(std::span{why.substr(0, kWhyMax)});
  const auto length = sizeof last_stream + sizeof code + debug.size();
  const auto header =
      encode_header({.length = static_cast<std::uint32_t>(length), .type = FrameType::GoAway});

  std::vector<std::byte> frame{header.begin(), header.end()};
  frame.reserve(kHeaderSize + length);
  put_u32(frame, last_stream);
  put_u32(frame, static_cast<std::uint32_t>(code));
  frame.insert(frame.end(), debug.begin(), debug.end());
  return frame;
}

} // namespace switchyard::http2
