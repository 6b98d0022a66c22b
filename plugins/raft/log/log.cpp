#include <plugins/raft/log/error.hpp>
#include <plugins/raft/log/log.hpp>
#include <plugins/raft/log/segment.hpp>

#include <boost/assert.hpp>

#include <algorithm>

namespace switchyard::raft {

using boost::system::result;
using raftwire::Entry;

void Log::append(const Entry& entry) {
  BOOST_ASSERT(entry.index == last_index() + 1);
  locations_.push_back(add(RecordKind::Entry, entry));
}

void Log::truncate(std::uint64_t index) {
  BOOST_ASSERT(index >= first_index_);
  if (index > last_index()) return;
  add(RecordKind::Truncate, {index, 0, {}, {}, {}});
  locations_.resize(index - first_index_);
}

void Log::reset(std::uint64_t index) {
  add(RecordKind::Reset, {index, 0, {}, {}, {}});
  locations_.clear();
  first_index_ = index;
  compact(index - 1);
}

void Log::compact(std::uint64_t index) {
  while (!locations_.empty() && first_index_ <= index) {
    locations_.pop_front();
    ++first_index_;
  }
  const auto needed = locations_.empty() ? last_number_ : locations_.front().segment;
  while (!segments_.empty() && segments_.begin()->first < needed) {
    removes_.push_back(segments_.begin()->first);
    segments_.erase(segments_.begin());
  }
}

Log::Location Log::add(RecordKind kind, const Entry& entry) {
  const auto size = record_size(entry);
  auto& chunk = room_for(size);
  const Location at{active_->number, end_, static_cast<std::uint32_t>(size)};
  append_record(chunk.bytes, {kind, entry, synced_});
  end_ += at.size;
  return at;
}

/// The chunk to write the next record to, in a new segment if the last one is full.
LogChunk& Log::room_for(std::size_t size) {
  const bool full = active_ && end_ > kSegmentHeaderSize && end_ + size > settings_.segment_bytes;
  if (active_ && !full && !collected_.empty()) return *collected_.back();

  auto chunk = std::make_shared<LogChunk>();
  if (!active_ || full) {
    chunk->begins = true;
    chunk->seals = std::exchange(active_, std::make_shared<Segment>());
    chunk->seals_at = end_;
    active_->number = ++last_number_;
    segments_.emplace(last_number_, active_);
    end_ = kSegmentHeaderSize;
    synced_ = end_;
  } else {
    synced_ = end_;
  }
  chunk->segment = active_;
  chunk->offset = end_;
  collected_.push_back(chunk);
  recent_.push_back(chunk);
  return *chunk;
}

bool Log::has_batch() const noexcept {
  return !collected_.empty() || !removes_.empty();
}

LogBatch Log::take_batch() {
  LogBatch batch;
  batch.chunks_ = std::exchange(collected_, {});
  batch.removes_ = std::exchange(removes_, {});
  batch.failed_ = failed_;
  return batch;
}

void Log::written(const LogBatch& batch) {
  for (const auto& chunk : batch.chunks_) {
    BOOST_ASSERT(written_chunks_ < recent_.size() && recent_[written_chunks_] == chunk);
    ++written_chunks_;
    written_bytes_ += chunk->bytes.size();
  }
  while (written_chunks_ > 0 && written_bytes_ > settings_.recent_bytes) {
    written_bytes_ -= recent_.front()->bytes.size();
    recent_.pop_front();
    --written_chunks_;
  }
}

/// The record, if a chunk in memory holds it.
std::span<const std::byte> Log::in_memory(const Location& at) const noexcept {
  const auto begin = [](const std::shared_ptr<LogChunk>& chunk) {
    return std::pair{chunk->segment->number, chunk->offset};
  };
  const auto after = std::ranges::upper_bound(recent_, std::pair{at.segment, at.offset}, {}, begin);
  if (after == recent_.begin()) return {};
  const auto& chunk = **std::prev(after);
  if (chunk.segment->number != at.segment || at.offset - chunk.offset >= chunk.bytes.size()) {
    return {};
  }
  return std::span{chunk.bytes}.subspan(at.offset - chunk.offset, at.size);
}

std::optional<Entry> Log::recent(std::uint64_t index) const noexcept {
  if (index < first_index_ || index > last_index()) return std::nullopt;
  const auto record = in_memory(locations_[index - first_index_]);
  if (record.empty()) return std::nullopt;
  return view_record(record).entry;
}

LogPlace Log::place(std::uint64_t index) const {
  const auto& at = locations_.at(index - first_index_);
  return {segments_.at(at.segment), index, at.offset, at.size};
}

result<StoredEntry> LogPlace::read() const {
  StoredEntry stored;
  stored.bytes.resize(size);
  const auto read = segment->file->read(offset, stored.bytes);
  if (!read) return read.error();
  if (*read != size) return LogError::Damaged;
  const auto decoded = decode_record(stored.bytes);
  if (!decoded || decoded->record.entry.index != index) return LogError::Damaged;
  stored.entry = decoded->record.entry;
  return stored;
}

result<StoredEntry> Log::read(std::uint64_t index) const {
  if (index < first_index_ || index > last_index()) return LogError::NoSuchEntry;
  const auto record = in_memory(locations_[index - first_index_]);
  if (record.empty()) return place(index).read();
  StoredEntry stored;
  stored.bytes.assign(record.begin(), record.end());
  stored.entry = view_record(stored.bytes).entry;
  return stored;
}

std::uint32_t Log::fitting(std::uint64_t first, std::uint32_t count, std::uint64_t bytes) const {
  std::uint64_t total = 0;
  for (std::uint32_t i = 0; i < count; ++i) {
    total += locations_.at(first - first_index_ + i).size;
    if (total > bytes) return std::max<std::uint32_t>(i, 1);
  }
  return count;
}

} // namespace switchyard::raft
