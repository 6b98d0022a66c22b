#include <plugins/raft/log/checksum.hpp>
#include <plugins/raft/log/error.hpp>
#include <plugins/raft/snapshot/snapshot_file.hpp>

#include <boost/endian/conversion.hpp>

#include <algorithm>
#include <array>
#include <cstdio>
#include <cstring>

namespace switchyard::raft {
namespace {

using boost::system::result;

// The last character of each is the version of the format.
constexpr std::string_view kMagic = "sy-snap1";
constexpr std::string_view kEndMagic = "sy-done1";
constexpr std::string_view kTaken = "snapshot";
constexpr std::string_view kReceived = "received";
constexpr std::size_t kNameSize = kTaken.size() + 1 + 16 + 1 + 16;

constexpr std::size_t kBlockSize = 64 * 1024;
constexpr std::size_t kChecksumSize = 4;

// Header: magic, index, term, index of the configuration, size of the configuration, the
// configuration, CRC-32C of all that.
constexpr std::size_t kIndexAt = 8;
constexpr std::size_t kTermAt = 16;
constexpr std::size_t kConfigurationIndexAt = 24;
constexpr std::size_t kConfigurationSizeAt = 32;
constexpr std::size_t kConfigurationAt = 36;
constexpr std::size_t kConfigurationMax = 16U << 20;

constexpr std::size_t kTrailerSize = 20; // magic, size, CRC-32C

unsigned char* octets(std::byte* at) {
  return reinterpret_cast<unsigned char*>(at);
}

const unsigned char* octets(const std::byte* at) {
  return reinterpret_cast<const unsigned char*>(at);
}

void append_checksum(std::vector<std::byte>& bytes, std::uint32_t checksum) {
  bytes.resize(bytes.size() + kChecksumSize);
  boost::endian::store_little_u32(octets(bytes.data() + bytes.size() - kChecksumSize), checksum);
}

bool sealed(std::span<const std::byte> bytes, std::uint32_t before = 0) {
  const auto covered = bytes.first(bytes.size() - kChecksumSize);
  return crc32c(covered, before) ==
         boost::endian::load_little_u32(octets(bytes.data() + covered.size()));
}

/// So that no block can stand in another's place.
std::uint32_t block_seed(std::uint64_t block) {
  std::array<std::byte, sizeof block> number{};
  boost::endian::store_little_u64(octets(number.data()), block);
  return crc32c(number);
}

std::vector<std::byte> encode_header(const SnapshotMeta& meta) {
  const auto configuration = raftwire::encode_configuration(meta.configuration);
  std::vector<std::byte> header(kConfigurationAt + configuration.size());
  std::memcpy(header.data(), kMagic.data(), kMagic.size());
  boost::endian::store_little_u64(octets(&header[kIndexAt]), meta.index);
  boost::endian::store_little_u64(octets(&header[kTermAt]), meta.term);
  boost::endian::store_little_u64(octets(&header[kConfigurationIndexAt]), meta.configuration_index);
  boost::endian::store_little_u32(
      octets(&header[kConfigurationSizeAt]), static_cast<std::uint32_t>(configuration.size()));
  std::memcpy(&header[kConfigurationAt], configuration.data(), configuration.size());
  append_checksum(header, crc32c(header));
  return header;
}

/// All of `size` bytes at `offset`, or LogError::Damaged.
result<std::vector<std::byte>> read_exactly(File& file, std::uint64_t offset, std::size_t size) {
  std::vector<std::byte> bytes(size);
  const auto read = file.read(offset, bytes);
  if (!read) return read.error();
  if (*read != size) return LogError::Damaged;
  return bytes;
}

bool has_magic(std::span<const std::byte> bytes, std::string_view magic) {
  return std::ranges::equal(bytes.first(magic.size()), std::as_bytes(std::span{magic}));
}

/// What the header says, and where it ends.
result<std::uint64_t> read_header(File& file, SnapshotMeta& meta) {
  const auto fixed = read_exactly(file, 0, kConfigurationAt);
  if (!fixed) return fixed.error();
  const std::size_t size =
      boost::endian::load_little_u32(octets(fixed->data() + kConfigurationSizeAt));
  if (!has_magic(*fixed, kMagic) || size > kConfigurationMax) return LogError::Damaged;
  const auto header = read_exactly(file, 0, kConfigurationAt + size + kChecksumSize);
  if (!header) return header.error();
  if (!sealed(*header)) return LogError::Damaged;
  auto members = raftwire::decode_configuration(std::span{*header}.subspan(kConfigurationAt, size));
  if (!members) return LogError::Damaged;
  meta.index = boost::endian::load_little_u64(octets(header->data() + kIndexAt));
  meta.term = boost::endian::load_little_u64(octets(header->data() + kTermAt));
  meta.configuration = std::move(*members);
  meta.configuration_index =
      boost::endian::load_little_u64(octets(header->data() + kConfigurationIndexAt));
  return header->size();
}

constexpr std::uint64_t blocks_of(std::uint64_t size) {
  return (size + kBlockSize - 1) / kBlockSize;
}

} // namespace

std::string snapshot_name(const SnapshotMeta& meta, SnapshotOrigin origin) {
  std::array<char, kNameSize + 1> name{};
  std::snprintf(
      name.data(),
      name.size(),
      "%s-%016llx-%016llx",
      (origin == SnapshotOrigin::Taken ? kTaken : kReceived).data(),
      static_cast<unsigned long long>(meta.term),
      static_cast<unsigned long long>(meta.index));
  return name.data();
}

bool is_snapshot_name(const std::string& name) noexcept {
  return name.size() == kNameSize && (name.starts_with(kTaken) || name.starts_with(kReceived));
}

result<SnapshotWriter>
SnapshotWriter::create(Disk& disk, const SnapshotMeta& meta, SnapshotOrigin origin) {
  auto file = disk.open(snapshot_name(meta, origin));
  if (!file) return file.error();
  if (const auto done = (*file)->resize(0); !done) return done.error();
  SnapshotWriter writer{std::move(*file)};
  const auto header = encode_header(meta);
  if (const auto done = writer.file_->write(0, header); !done) return done.error();
  writer.end_ = header.size();
  return writer;
}

result<void> SnapshotWriter::write(std::span<const std::byte> bytes) {
  size_ += bytes.size();
  while (!bytes.empty()) {
    const auto part = bytes.first(std::min(bytes.size(), kBlockSize - block_.size()));
    block_.insert(block_.end(), part.begin(), part.end());
    bytes = bytes.subspan(part.size());
    if (block_.size() < kBlockSize) break;
    if (const auto done = write_block(); !done) return done;
  }
  return {};
}

result<void> SnapshotWriter::write_block() {
  append_checksum(block_, crc32c(block_, block_seed(blocks_)));
  const auto done = file_->write(end_, block_);
  end_ += block_.size();
  ++blocks_;
  block_.clear();
  return done;
}

result<void> SnapshotWriter::finish(Disk& disk) {
  result<void> done;
  if (!block_.empty()) done = write_block();
  if (done) done = file_->sync();
  std::vector<std::byte> trailer(kTrailerSize - kChecksumSize);
  std::memcpy(trailer.data(), kEndMagic.data(), kEndMagic.size());
  boost::endian::store_little_u64(octets(&trailer[kEndMagic.size()]), size_);
  append_checksum(trailer, crc32c(trailer));
  if (done) done = file_->write(end_, trailer);
  if (done) done = file_->sync();
  if (done) done = disk.sync();
  return done;
}

result<std::shared_ptr<const SnapshotFile>>
SnapshotFile::open(Disk& disk, const std::string& name) {
  auto file = disk.open(name);
  if (!file) return file.error();
  const auto size = (*file)->size();
  if (!size) return size.error();
  const std::shared_ptr<const SnapshotFile> none;
  if (*size < kTrailerSize) return none;
  const auto trailer = read_exactly(**file, *size - kTrailerSize, kTrailerSize);
  if (!trailer) return trailer.error();
  if (!has_magic(*trailer, kEndMagic) || !sealed(*trailer)) return none;

  std::shared_ptr<SnapshotFile> opened{new SnapshotFile};
  const auto body = read_header(**file, opened->meta_);
  if (!body) return body.error();
  opened->file_ = std::move(*file);
  opened->body_ = *body;
  opened->size_ = boost::endian::load_little_u64(octets(trailer->data() + kEndMagic.size()));
  const auto expected =
      *body + opened->size_ + blocks_of(opened->size_) * kChecksumSize + kTrailerSize;
  const bool named = snapshot_name(opened->meta_, SnapshotOrigin::Taken) == name ||
                     snapshot_name(opened->meta_, SnapshotOrigin::Received) == name;
  if (opened->size_ > *size || expected != *size || !named) return LogError::Damaged;
  opened->name_ = name;
  return std::shared_ptr<const SnapshotFile>{std::move(opened)};
}

result<std::span<const std::byte>> SnapshotReader::next() {
  const auto at = block_ * kBlockSize;
  if (at >= file_->size_) return std::span<const std::byte>{};
  const auto size = std::min<std::uint64_t>(kBlockSize, file_->size_ - at);
  auto read =
      read_exactly(*file_->file_, file_->body_ + at + block_ * kChecksumSize, size + kChecksumSize);
  if (!read) return read.error();
  if (!sealed(*read, block_seed(block_))) return LogError::Damaged;
  bytes_ = std::move(*read);
  ++block_;
  return std::span<const std::byte>{bytes_}.first(size);
}

} // namespace switchyard::raft
