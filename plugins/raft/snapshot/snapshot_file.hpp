#pragma once

#include <plugins/raft/core/durable.hpp>
#include <plugins/raft/log/disk.hpp>

namespace switchyard::raft {

/// A snapshot in one file:
///
///     header    magic, what the snapshot stands for, a CRC-32C
///     blocks    64 KiB of the state machine's bytes each, the last one less, a CRC-32C behind each
///     trailer   magic, size of the state machine's bytes, a CRC-32C
///
/// The trailer is written once everything before it is durable: a file that has it is whole.

/// Who made a snapshot; the same may be taken here and received at once.
enum class SnapshotOrigin : std::uint8_t { Taken, Received };

/// "snapshot-TERM-INDEX" or "received-TERM-INDEX", the numbers in hexadecimal of 16 digits.
[[nodiscard]] std::string snapshot_name(const SnapshotMeta& meta, SnapshotOrigin origin);

/// True for the name of a snapshot, whole or not.
[[nodiscard]] bool is_snapshot_name(const std::string& name) noexcept;

/// Writes one snapshot from its beginning to its end. One thread at a time.
class SnapshotWriter {
public:
  /// Begins the file, in the place of one of that name.
  [[nodiscard]] static boost::system::result<SnapshotWriter>
  create(Disk& disk, const SnapshotMeta& meta, SnapshotOrigin origin);

  [[nodiscard]] boost::system::result<void> write(std::span<const std::byte> bytes);

  /// Makes it durable, with its name. The last call.
  [[nodiscard]] boost::system::result<void> finish(Disk& disk);

  /// Bytes of the state machine so far.
  [[nodiscard]] std::uint64_t size() const noexcept { return size_; }

private:
  explicit SnapshotWriter(std::unique_ptr<File> file) : file_{std::move(file)} {}

  [[nodiscard]] boost::system::result<void> write_block();

  std::unique_ptr<File> file_;
  std::uint64_t end_ = 0; ///< of what is written of the file
  std::uint64_t size_ = 0;
  std::uint64_t blocks_ = 0;
  std::vector<std::byte> block_;
};

/// A whole snapshot. It can be read as long as this lives, also when the file has been removed.
class SnapshotFile {
public:
  /// Nullptr if the file is not whole. Fails with LogError::Damaged if it is whole and yet cannot
  /// be what was written, or with the disk's error.
  [[nodiscard]] static boost::system::result<std::shared_ptr<const SnapshotFile>>
  open(Disk& disk, const std::string& name);

  [[nodiscard]] const std::string& name() const noexcept { return name_; }

  [[nodiscard]] const SnapshotMeta& meta() const noexcept { return meta_; }

  /// Bytes of the state machine.
  [[nodiscard]] std::uint64_t size() const noexcept { return size_; }

private:
  friend class SnapshotReader;

  SnapshotFile() = default;

  std::unique_ptr<File> file_;
  std::string name_;
  SnapshotMeta meta_;
  std::uint64_t body_ = 0; ///< where the blocks begin
  std::uint64_t size_ = 0;
};

/// Reads the state machine's bytes of a snapshot, in their order. One thread at a time.
class SnapshotReader {
public:
  explicit SnapshotReader(std::shared_ptr<const SnapshotFile> file) : file_{std::move(file)} {}

  /// The next bytes, at most 64 KiB; empty at the end. They hold until the next call. Fails with
  /// LogError::Damaged or the disk's error.
  [[nodiscard]] boost::system::result<std::span<const std::byte>> next();

private:
  std::shared_ptr<const SnapshotFile> file_;
  std::uint64_t block_ = 0; ///< the next one
  std::vector<std::byte> bytes_;
};

} // namespace switchyard::raft
