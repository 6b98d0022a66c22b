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

/// What is looked at of a segment at a time. Most of it is never in memory together: a log is read
/// while nobody serves.
constexpr std::size_t kWindow = 1U << 20;

bool zeros(std::span<const std::byte> bytes) {
  return bytes.empty() || (bytes[0] == std::byte{0} &&
                           std::memcmp(bytes.data(), bytes.data() + 1, bytes.size() - 1) == 0);
}

/// True if a record in `tail`, which begins at `end` of the file, proves that there was a sound one
/// at `end`.
bool proven_damaged(std::span<const std::byte> tail, std::size_t end) {
  for (auto at = kRecordAlignment; at < tail.size(); at += kRecordAlignment) {
    const auto decoded = decode_record(tail.subspan(at));
    if (decoded && decoded->record.synced > end) return true;
  }
  return false;
}

/// A file from its begin to its end, as far as somebody wants to look ahead.
class Window {
public:
  Window(File& file, std::size_t size) : file_{file}, size_{size} {}

  /// The bytes from `at` on, which never falls: `wanted` or all that there are, perhaps more.
  boost::system::result<std::span<const std::byte>> from(std::size_t at, std::size_t wanted) {
    wanted = std::min(wanted, size_ - at);
    if (at + wanted > begin_ + bytes_.size()) {
      if (const auto done = load(at, std::max(wanted, std::min(kWindow, size_ - at))); !done) {
        return done.error();
      }
    }
    return std::span<const std::byte>{bytes_}.subspan(at - begin_);
  }

private:
  boost::system::result<void> load(std::size_t at, std::size_t count) {
    const auto kept = begin_ + bytes_.size() > at ? begin_ + bytes_.size() - at : 0;
    std::copy(bytes_.end() - static_cast<std::ptrdiff_t>(kept), bytes_.end(), bytes_.begin());
    begin_ = at;
    bytes_.resize(count);
    const auto read = file_.read(at + kept, std::span{bytes_}.subspan(kept));
    if (!read) return read.error();
    if (*read != count - kept) return LogError::Damaged;
    return {};
  }

  File& file_;
  const std::size_t size_;
  std::size_t begin_ = 0; ///< of the file, where bytes_ begin
  std::vector<std::byte> bytes_;
};

/// The record at `at`, with its bytes in the window; nullopt if there is no sound one.
boost::system::result<std::optional<DecodedRecord>> record_at(Window& window, std::size_t at) {
  const auto header = window.from(at, kRecordHeaderSize);
  if (!header) return header.error();
  const auto bytes = window.from(at, claimed_record_size(*header));
  if (!bytes) return bytes.error();
  return decode_record(*bytes);
}

/// Up to where nothing but zeros follows; `size`, or anything before what is not zero.
boost::system::result<std::size_t> zeros_from(Window& window, std::size_t at, std::size_t size) {
  for (; at < size; at += std::min(kWindow, size - at)) {
    const auto bytes = window.from(at, kWindow);
    if (!bytes) return bytes.error();
    if (!zeros(bytes->first(std::min(kWindow, size - at)))) return at;
  }
  return size;
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
  const auto size = file.size();
  if (!size) return size.error();
  if (*size > std::numeric_limits<std::uint32_t>::max()) return LogError::Damaged;
  Window window{file, *size};
  const auto torn_at = [&](std::size_t end) -> boost::system::result<void> {
    Window all{file, *size};
    const auto tail = all.from(end, *size);
    if (!tail) return tail.error();
    if (proven_damaged(*tail, end)) return LogError::Damaged;
    return {};
  };

  SegmentContent content;
  const auto header = segment_header(number);
  const auto found = window.from(0, header.size());
  if (!found) return found.error();
  content.begun = found->size() >= header.size() &&
                  std::ranges::equal(found->first(header.size()), std::span{header});
  damaged_at = 0;
  if (!content.begun) {
    // Its header is durable before its first record is written.
    if (!last) return LogError::Damaged;
    if (const auto torn = torn_at(0); !torn) return torn.error();
    return content;
  }

  std::size_t at = kSegmentHeaderSize;
  for (;;) {
    const auto decoded = record_at(window, at);
    if (!decoded) return decoded.error();
    damaged_at = at;
    if (!*decoded) break;
    const auto& [record, record_size] = **decoded;
    if (!each(record, static_cast<std::uint32_t>(at), static_cast<std::uint32_t>(record_size))) {
      return LogError::Damaged;
    }
    at += record_size;
  }
  if (!last && at != *size) return LogError::Damaged;
  content.end = static_cast<std::uint32_t>(at);
  const auto blank = zeros_from(window, at, *size);
  if (!blank) return blank.error();
  content.clean = *blank == *size;
  if (content.clean) return content;
  if (const auto torn = torn_at(at); !torn) return torn.error();
  return content;
}

} // namespace switchyard::raft
