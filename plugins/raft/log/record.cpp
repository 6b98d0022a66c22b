#include <plugins/raft/log/checksum.hpp>
#include <plugins/raft/log/record.hpp>

#include <boost/assert.hpp>
#include <boost/endian/conversion.hpp>

#include <algorithm>

namespace switchyard::raft {
namespace {

constexpr std::size_t kChecksumAt = 0;
constexpr std::size_t kPayloadSizeAt = 4;
constexpr std::size_t kIndexAt = 8;
constexpr std::size_t kTermAt = 16;
constexpr std::size_t kSyncedAt = 24;
constexpr std::size_t kDataSizeAt = 28;
constexpr std::size_t kKindAt = 32;
constexpr std::size_t kTypeAt = 33;
constexpr std::size_t kZerosAt = 34;

unsigned char* octets(std::byte* at) {
  return reinterpret_cast<unsigned char*>(at);
}

const unsigned char* octets(const std::byte* at) {
  return reinterpret_cast<const unsigned char*>(at);
}

constexpr std::size_t padded(std::size_t size) noexcept {
  return (size + kRecordAlignment - 1) / kRecordAlignment * kRecordAlignment;
}

std::string_view text(std::span<const std::byte> bytes) noexcept {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

} // namespace

std::size_t record_size(const raftwire::Entry& entry) noexcept {
  return padded(kRecordHeaderSize + entry.data.size() + entry.extensions.size());
}

void append_record(std::vector<std::byte>& out, const Record& record) {
  const auto& entry = record.entry;
  const auto payload = entry.data.size() + entry.extensions.size();
  BOOST_ASSERT(payload <= UINT32_MAX - kRecordHeaderSize - kRecordAlignment);

  const auto begin = out.size();
  out.resize(begin + record_size(entry));
  auto* header = out.data() + begin;
  boost::endian::store_little_u32(
      octets(header + kPayloadSizeAt), static_cast<std::uint32_t>(payload));
  boost::endian::store_little_u64(octets(header + kIndexAt), entry.index);
  boost::endian::store_little_u64(octets(header + kTermAt), entry.term);
  boost::endian::store_little_u32(octets(header + kSyncedAt), record.synced);
  boost::endian::store_little_u32(
      octets(header + kDataSizeAt), static_cast<std::uint32_t>(entry.data.size()));
  header[kKindAt] = static_cast<std::byte>(record.kind);
  header[kTypeAt] = static_cast<std::byte>(entry.type);
  auto* end =
      std::ranges::copy(std::as_bytes(std::span{entry.data}), header + kRecordHeaderSize).out;
  std::ranges::copy(std::as_bytes(std::span{entry.extensions}), end);
  const std::span covered{header + kPayloadSizeAt, kRecordHeaderSize - kPayloadSizeAt + payload};
  boost::endian::store_little_u32(octets(header + kChecksumAt), crc32c(covered));
}

std::size_t claimed_record_size(std::span<const std::byte> bytes) noexcept {
  if (bytes.size() < kRecordHeaderSize) return kRecordHeaderSize;
  return padded(
      kRecordHeaderSize +
      std::size_t{boost::endian::load_little_u32(octets(bytes.data() + kPayloadSizeAt))});
}

std::optional<DecodedRecord> decode_record(std::span<const std::byte> bytes) noexcept {
  if (bytes.size() < kRecordHeaderSize) return std::nullopt;
  const auto* header = bytes.data();
  const auto kind = std::to_integer<std::uint8_t>(header[kKindAt]);
  const auto type = std::to_integer<std::uint8_t>(header[kTypeAt]);
  const std::size_t payload = boost::endian::load_little_u32(octets(header + kPayloadSizeAt));
  const std::size_t data = boost::endian::load_little_u32(octets(header + kDataSizeAt));
  const auto zeros = bytes.subspan(kZerosAt, kRecordHeaderSize - kZerosAt);
  const bool plausible = kind >= 1 && kind <= 3 && type <= 5 && data <= payload &&
                         payload <= bytes.size() - kRecordHeaderSize &&
                         std::ranges::all_of(zeros, [](auto b) { return b == std::byte{0}; });
  if (!plausible) return std::nullopt;

  const auto size = padded(kRecordHeaderSize + payload);
  const auto covered = bytes.subspan(kPayloadSizeAt, kRecordHeaderSize - kPayloadSizeAt + payload);
  if (size > bytes.size()) return std::nullopt;
  if (crc32c(covered) != boost::endian::load_little_u32(octets(header + kChecksumAt))) {
    return std::nullopt;
  }
  return DecodedRecord{view_record(bytes), size};
}

Record view_record(std::span<const std::byte> bytes) noexcept {
  const auto* header = bytes.data();
  const std::size_t payload = boost::endian::load_little_u32(octets(header + kPayloadSizeAt));
  const std::size_t data = boost::endian::load_little_u32(octets(header + kDataSizeAt));
  const auto content = bytes.subspan(kRecordHeaderSize, payload);
  return {
      static_cast<RecordKind>(header[kKindAt]),
      {boost::endian::load_little_u64(octets(header + kIndexAt)),
       boost::endian::load_little_u64(octets(header + kTermAt)),
       static_cast<raftwire::EntryType>(header[kTypeAt]),
       text(content.first(data)),
       text(content.subspan(data))},
      boost::endian::load_little_u32(octets(header + kSyncedAt))};
}

} // namespace switchyard::raft
