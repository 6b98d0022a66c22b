#pragma once

#include <plugins/raft/log/disk.hpp>

#include <array>
#include <functional>
#include <optional>

namespace switchyard::raft {

struct Record;

/// Every segment begins with that many bytes that name it.
inline constexpr std::uint32_t kSegmentHeaderSize = 64;

/// "0000000000000001.log": the number of the segment, in hexadecimal.
[[nodiscard]] std::string segment_name(std::uint32_t number);

/// The number in a name; nullopt if it is not one of a segment.
[[nodiscard]] std::optional<std::uint32_t> segment_number(const std::string& name);

[[nodiscard]] std::array<std::byte, kSegmentHeaderSize> segment_header(std::uint32_t number);

/// What was found in a segment.
struct SegmentContent {
  bool begun = false;    ///< it has its header
  std::uint32_t end = 0; ///< behind the last sound record
  bool clean = false;    ///< nothing but zeros follows
};

/// Reads a segment and hands its records, with their offset and size, to `each`, which returns
/// false for one that cannot be. A torn tail is allowed to the segment that was `last`. Fails with
/// LogError::Damaged, and the offset in `damaged_at`, or with the disk's error.
[[nodiscard]] boost::system::result<SegmentContent> read_segment(
    File& file,
    std::uint32_t number,
    bool last,
    const std::function<bool(const Record&, std::uint32_t offset, std::uint32_t size)>& each,
    std::uint64_t& damaged_at);

} // namespace switchyard::raft
