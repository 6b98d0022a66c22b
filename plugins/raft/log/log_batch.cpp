#include <plugins/raft/log/error.hpp>
#include <plugins/raft/log/log.hpp>
#include <plugins/raft/log/segment.hpp>

namespace switchyard::raft {
namespace {

using boost::system::result;

/// A segment is durable with its name before anything is written to it.
result<void> begin(Disk& disk, Segment& segment, const LogSettings& settings) {
  auto file = disk.open(segment_name(segment.number));
  if (!file) return file.error();
  const auto header = segment_header(segment.number);
  auto done = (*file)->resize(settings.segment_bytes);
  if (done) done = (*file)->write(0, header);
  if (done) done = (*file)->sync();
  if (done) done = disk.sync();
  segment.file = std::move(*file);
  return done;
}

result<void> write_chunk(Disk& disk, const LogChunk& chunk, const LogSettings& settings) {
  if (chunk.seals) { // so that a reader knows when something is missing at its end
    auto done = chunk.seals->file->resize(chunk.seals_at);
    if (done) done = chunk.seals->file->sync();
    if (!done) return done;
  }
  if (chunk.begins) {
    if (const auto done = begin(disk, *chunk.segment, settings); !done) return done;
  }
  if (chunk.bytes.empty()) return {};
  return chunk.segment->file->write(chunk.offset, chunk.bytes);
}

/// One after the other, each for good: a gap between two segments means that one was lost.
result<void> remove(Disk& disk, std::uint32_t number) {
  auto done = disk.remove(segment_name(number));
  if (done) done = disk.sync();
  return done;
}

} // namespace

result<void> LogBatch::write(Disk& disk, const LogSettings& settings) {
  if (failed_->load()) return LogError::Failed;
  result<void> done;
  for (const auto& chunk : chunks_) {
    if (done) done = write_chunk(disk, *chunk, settings);
  }
  if (done && !chunks_.empty()) done = chunks_.back()->segment->file->sync();
  for (const auto number : removes_) {
    if (done) done = remove(disk, number);
  }
  if (!done) failed_->store(true);
  return done;
}

} // namespace switchyard::raft
