#include <plugins/raft/log/ballot_file.hpp>
#include <plugins/raft/log/checksum.hpp>
#include <plugins/raft/log/error.hpp>

#include <boost/assert.hpp>
#include <boost/endian/conversion.hpp>

#include <algorithm>
#include <array>
#include <optional>

namespace switchyard::raft {
namespace {

// A slot. All numbers little endian; the checksum is CRC-32C of all that follows it.
constexpr std::size_t kSlotSize = 4096; // a page, so that no two slots share a sector
constexpr std::size_t kChecksumAt = 0;
constexpr std::size_t kCandidateSizeAt = 4;
constexpr std::size_t kSequenceAt = 8;
constexpr std::size_t kTermAt = 16;
constexpr std::size_t kCandidateAt = 24;

using Slot = std::array<std::byte, kSlotSize>;

struct Saved {
  std::uint64_t sequence = 0;
  Ballot ballot;
};

unsigned char* octets(std::byte* at) {
  return reinterpret_cast<unsigned char*>(at);
}

const unsigned char* octets(const std::byte* at) {
  return reinterpret_cast<const unsigned char*>(at);
}

Slot encode(const Saved& saved) {
  Slot slot{};
  const auto& candidate = saved.ballot.candidate;
  BOOST_ASSERT(candidate.size() <= kSlotSize - kCandidateAt);
  boost::endian::store_little_u32(
      octets(&slot[kCandidateSizeAt]), static_cast<std::uint32_t>(candidate.size()));
  boost::endian::store_little_u64(octets(&slot[kSequenceAt]), saved.sequence);
  boost::endian::store_little_u64(octets(&slot[kTermAt]), saved.ballot.term);
  std::ranges::copy(std::as_bytes(std::span{candidate}), &slot[kCandidateAt]);
  boost::endian::store_little_u32(
      octets(&slot[kChecksumAt]), crc32c(std::span{slot}.subspan(kCandidateSizeAt)));
  return slot;
}

std::optional<Saved> decode(const Slot& slot) {
  const auto checksum = boost::endian::load_little_u32(octets(&slot[kChecksumAt]));
  const auto size = boost::endian::load_little_u32(octets(&slot[kCandidateSizeAt]));
  if (checksum != crc32c(std::span{slot}.subspan(kCandidateSizeAt))) return std::nullopt;
  if (size > kSlotSize - kCandidateAt) return std::nullopt;
  const auto* candidate = reinterpret_cast<const char*>(&slot[kCandidateAt]);
  return Saved{
      boost::endian::load_little_u64(octets(&slot[kSequenceAt])),
      {boost::endian::load_little_u64(octets(&slot[kTermAt])), {candidate, size}}};
}

} // namespace

boost::system::result<BallotFile> BallotFile::open(Disk& disk) {
  auto file = disk.open("ballot");
  if (!file) return file.error();
  BallotFile opened{std::move(*file)};

  int damaged = 0;
  for (std::uint64_t at : {std::uint64_t{0}, std::uint64_t{kSlotSize}}) {
    Slot slot{};
    const auto size = opened.file_->read(at, slot);
    if (!size) return size.error();
    if (std::ranges::all_of(slot, [](std::byte b) { return b == std::byte{0}; })) continue;
    const auto saved = decode(slot);
    if (!saved) {
      ++damaged;
    } else if (saved->sequence > opened.sequence_) {
      opened.sequence_ = saved->sequence;
      opened.ballot_ = saved->ballot;
    }
  }
  // One that was being written first of all is a torn write; two cannot be.
  if (damaged == 2) return LogError::BallotDamaged;
  // What was read may be known to the system only, not to the disk.
  auto synced = opened.file_->sync();
  if (synced) synced = disk.sync();
  if (!synced) return synced.error();
  return opened;
}

boost::system::result<void> BallotFile::save(const Ballot& ballot) {
  if (failed_) return LogError::Failed;
  const auto slot = encode({++sequence_, ballot});
  auto done = file_->write(sequence_ % 2 * kSlotSize, slot);
  if (done) done = file_->sync();
  failed_ = !done;
  if (done) ballot_ = ballot;
  return done;
}

} // namespace switchyard::raft
