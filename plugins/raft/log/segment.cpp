#include <plugins/raft/log/checksum.hpp>
#include <plugins/raft/log/error.hpp>
#include <plugins/raft/log/record.hpp>
#include <plugins/raft/log/segment.hpp>

#include <boost/endian/conversion.hpp>

#include <algorithm>
#include <charconv>
#include <cstdio>
#include <cstring>
#include <limits>

namespace switchyard::raft {
namespace {

constexpr std::string_view kMagic = "sy-raft1"; // the last character is the version of the format
constexpr std::size_t kNumberAt = 8;
constexpr std::size_t kChecksumAt = 16;
constexpr std::string_view kSuffix = ".log";
constexpr std::size_t kDigits = 16;

unsigned char* octets(std::byte* at) {
  return reinterpret_cast<unsigned char*>(at);
}

bool zeros(std::span<const std::byte> bytes) {
  return std::ranges::all_of(bytes, [](std::byte b) { return b == std::byte{0}; });
}

/// True if a record behind `end` proves that there was a sound one at `end`.
bool proven_damaged(std::span<const std::byte> bytes, std::size_t end) {
  for (auto at = end + kRecordAlignment; at < bytes.size(); at += kRecordAlignment) {
    const auto decoded = decode_record(bytes.subspan(at));
    if (decoded && decoded->record.synced > end) return true;
  }
  return false;
}

boost::system::result<std::vector<std::byte>> read_all(File& file) {
  const auto size = file.size();
  if (!size) return size.error();
  if (*size > std::numeric_limits<std::uint32_t>::max()) return LogError::Damaged;
  std::vector<std::byte> bytes(*size);
  const auto read = file.read(0, bytes);
  if (!read) return read.error();
  bytes.resize(*read);
  return bytes;
}

} // namespace

std::string segment_name(std::uint32_t number) {
  std::array<char, kDigits + kSuffix.size() + 1> name{};
  std::snprintf(name.data(), name.size(), "%016x.log", number);
  return name.data();
}

std::optional<std::uint32_t> segment_number(const std::string& name) {
  if (name.size() != kDigits + kSuffix.size() || !name.ends_with(kSuffix)) return std::nullopt;
  std::uint32_t number = 0;
  const auto [end, error] = std::from_chars(name.data(), name.data() + kDigits, number, 16);
  if (error != std::errc{} || end != name.data() + kDigits || number == 0) return std::nullopt;
  return number;
}

std::array<std::byte, kSegmentHeaderSize> segment_header(std::uint32_t number) {
  std::array<std::byte, kSegmentHeaderSize> header{};
  std::memcpy(header.data(), kMagic.data(), kMagic.size());
  boost::endian::store_little_u64(octets(&header[kNumberAt]), number);
  boost::endian::store_little_u32(
      octets(&header[kChecksumAt]), crc32c(std::span{header}.first(kChecksumAt)));
  return header;
}

boost::system::result<SegmentContent> read_segment(
    File& file,
    std::uint32_t number,
    bool last,
    const std::function<bool(const Record&, std::uint32_t, std::uint32_t)>& each,
    std::uint64_t& damaged_at) {
  const auto all = read_all(file);
  if (!all) return all.error();
  const std::span<const std::byte> bytes{*all};

  SegmentContent content;
  const auto header = segment_header(number);
  content.begun = bytes.size() >= header.size() &&
                  std::ranges::equal(bytes.first(header.size()), std::span{header});
  damaged_at = 0;
  if (!content.begun) {
    // Its header is durable before its first record is written.
    if (!last || proven_damaged(bytes, 0)) return LogError::Damaged;
    return content;
  }

  std::size_t at = kSegmentHeaderSize;
  while (const auto decoded = decode_record(bytes.subspan(at))) {
    damaged_at = at;
    const auto offset = static_cast<std::uint32_t>(at);
    if (!each(decoded->record, offset, static_cast<std::uint32_t>(decoded->size))) {
      return LogError::Damaged;
    }
    at += decoded->size;
  }
  damaged_at = at;
  if (!last && at != bytes.size()) return LogError::Damaged;
  content.end = static_cast<std::uint32_t>(at);
  content.clean = zeros(bytes.subspan(at));
  if (!content.clean && proven_damaged(bytes, at)) return LogError::Damaged;
  return content;
}

} // namespace switchyard::raft
