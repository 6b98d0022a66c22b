#pragma once

#include <plugins/raft/core/core.hpp>
#include <plugins/raft/log/disk.hpp>
#include <plugins/raft/log/record.hpp>

#include <atomic>
#include <deque>
#include <map>

namespace switchyard::raft {

struct LogSettings {
  /// A segment is begun anew beyond this; one entry may exceed it. At most 2 GiB.
  std::uint32_t segment_bytes = 64U << 20;

  /// Of what was written last so much stays in memory, for the followers and the state machine that
  /// are about to ask for it. Besides, all that is not written yet.
  std::size_t recent_bytes = 16U << 20;
};

/// A file of the log. Its writer opens it, after that readers may use it.
struct Segment {
  std::uint32_t number = 0;
  std::unique_ptr<File> file;
};

/// Bytes on their way into a segment.
struct LogChunk {
  std::shared_ptr<Segment> segment;
  std::uint32_t offset = 0;
  std::vector<std::byte> bytes;

  bool begins = false;              ///< the segment is to be made first
  std::shared_ptr<Segment> seals{}; ///< and this one, before it, gets its exact size
  std::uint32_t seals_at = 0;
};

/// What has to be written together. It can be written on another thread than the log's; batches of
/// one log are written one after the other, in order.
class LogBatch {
public:
  /// Makes everything in the batch durable. A failure is final: every batch after it fails too,
  /// with LogError::Failed, before it touches the disk.
  [[nodiscard]] boost::system::result<void> write(Disk& disk, const LogSettings& settings);

private:
  friend class Log;

  std::vector<std::shared_ptr<LogChunk>> chunks_;
  std::vector<std::uint32_t> removes_; ///< numbers of segments, once the chunks are written
  std::shared_ptr<std::atomic<bool>> failed_;
};

/// An entry that owns its bytes.
struct StoredEntry {
  std::vector<std::byte> bytes;
  raftwire::Entry entry; ///< points into `bytes`
};

/// Where an entry lies on the disk. Records are never written over, so it can be read at any time
/// and on any thread, also once the log has moved on or given the segment back.
struct LogPlace {
  std::shared_ptr<Segment> segment;
  std::uint64_t index = 0;
  std::uint32_t offset = 0;
  std::uint32_t size = 0;

  /// Fails with LogError::Damaged or the disk's error.
  [[nodiscard]] boost::system::result<StoredEntry> read() const;
};

/// What a log held when it was opened.
struct LogContent {
  TermRuns terms;
  std::vector<StoredConfiguration> configurations;
};

/// The replicated log in segment files. A log is a sequence of records that add entries or take
/// them back; so a truncation is an addition, which a crash cannot reorder with what follows it.
///
/// append(), truncate() and reset() change what is read at once, and collect what is to be written;
/// take_batch() hands that over, and nothing of it is durable before LogBatch::write() returns.
/// In memory the log needs 12 bytes an entry, what is being written and what was written last.
///
/// One thread at a time, but for LogBatch::write().
class Log final : public EntrySizes {
public:
  /// Reads what `disk` has. A torn tail is cut; any other damage refuses with LogError::Damaged or
  /// SegmentMissing, and `where` then names file and offset. `disk` outlives the log.
  [[nodiscard]] static boost::system::result<std::unique_ptr<Log>>
  open(Disk& disk, const LogSettings& settings, LogContent& content, std::string& where);

  /// Of the first entry; after the last one, if there is none.
  [[nodiscard]] std::uint64_t first_index() const noexcept { return first_index_; }

  [[nodiscard]] std::uint64_t last_index() const noexcept {
    return first_index_ + locations_.size() - 1;
  }

  /// Adds `entry`, whose index is last_index() + 1.
  void append(const raftwire::Entry& entry);

  /// Takes away the entries from `index` on, which is at least first_index().
  void truncate(std::uint64_t index);

  /// Takes away everything; the next entry will be `index`.
  void reset(std::uint64_t index);

  /// Gives back the space of entries up to `index`, as far as whole segments allow.
  void compact(std::uint64_t index);

  [[nodiscard]] bool has_batch() const noexcept;
  [[nodiscard]] LogBatch take_batch();

  /// The batch was written: its bytes are read from the disk from now on.
  void written(const LogBatch& batch);

  /// Reads one entry. Fails with LogError::NoSuchEntry, Damaged or the disk's error.
  [[nodiscard]] boost::system::result<StoredEntry> read(std::uint64_t index) const;

  /// The entry, if it is in memory still; its views hold until the log is changed.
  [[nodiscard]] std::optional<raftwire::Entry> recent(std::uint64_t index) const noexcept;

  /// For an entry that is in the log and not recent().
  [[nodiscard]] LogPlace place(std::uint64_t index) const;

  [[nodiscard]] std::uint32_t
  fitting(std::uint64_t first, std::uint32_t count, std::uint64_t bytes) const override;

private:
  struct Location {
    std::uint32_t segment;
    std::uint32_t offset;
    std::uint32_t size;
  };

  Log(Disk& disk, const LogSettings& settings) : disk_{disk}, settings_{settings} {}

  [[nodiscard]] bool replay(const Record& record, const Location& at, LogContent& content);
  Location add(RecordKind kind, const raftwire::Entry& entry);
  LogChunk& room_for(std::size_t size);
  [[nodiscard]] std::span<const std::byte> in_memory(const Location& at) const noexcept;

  Disk& disk_;
  const LogSettings settings_;
  std::map<std::uint32_t, std::shared_ptr<Segment>> segments_;
  std::shared_ptr<Segment> active_; ///< the last one, which is written to; null: begin another
  std::uint32_t end_ = 0;           ///< of the active one
  std::uint32_t synced_ = 0;        ///< where the batch that is being collected began in it
  std::uint32_t last_number_ = 0;

  std::uint64_t first_index_ = 1;
  std::deque<Location> locations_; ///< of the entries

  std::vector<std::shared_ptr<LogChunk>> collected_;
  std::vector<std::uint32_t> removes_;
  std::deque<std::shared_ptr<LogChunk>> recent_; ///< written, then in batches, then collected
  std::size_t written_chunks_ = 0;               ///< of recent_, at its front
  std::size_t written_bytes_ = 0;                ///< in these
  std::shared_ptr<std::atomic<bool>> failed_ = std::make_shared<std::atomic<bool>>(false);
};

/// What a node starts with: the log is brought in line with the snapshot, by a batch to be written
/// first if there is one. Fails with LogError::EntriesMissing or BallotOutdated.
[[nodiscard]] boost::system::result<Durable>
recover(const Ballot& ballot, const SnapshotMeta& snapshot, LogContent content, Log& log);

} // namespace switchyard::raft
