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
  unwritten_.push_back(chunk);
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
    BOOST_ASSERT(!unwritten_.empty() && unwritten_.front() == chunk);
    unwritten_.pop_front();
  }
}

const LogChunk* Log::unwritten(const Location& at) const noexcept {
  for (const auto& chunk : unwritten_) {
    if (chunk->segment->number != at.segment || at.offset < chunk->offset) continue;
    if (at.offset - chunk->offset < chunk->bytes.size()) return chunk.get();
  }
  return nullptr;
}

result<Log::Stored> Log::read(std::uint64_t index) const {
  if (index < first_index_ || index > last_index()) return LogError::NoSuchEntry;
  const auto& at = locations_[index - first_index_];
  Stored stored;
  if (const auto* chunk = unwritten(at)) {
    const auto record = std::span{chunk->bytes}.subspan(at.offset - chunk->offset, at.size);
    stored.bytes.assign(record.begin(), record.end());
  } else {
    stored.bytes.resize(at.size);
    const auto read = segments_.at(at.segment)->file->read(at.offset, stored.bytes);
    if (!read) return read.error();
    if (*read != at.size) return LogError::Damaged;
  }
  const auto decoded = decode_record(stored.bytes);
  if (!decoded || decoded->record.entry.index != index) return LogError::Damaged;
  stored.entry = decoded->record.entry;
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
