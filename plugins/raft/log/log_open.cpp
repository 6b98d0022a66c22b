#include <plugins/raft/log/error.hpp>
#include <plugins/raft/log/log.hpp>
#include <plugins/raft/log/segment.hpp>

#include <algorithm>

namespace switchyard::raft {
namespace {

using boost::system::result;

result<std::vector<std::uint32_t>> segment_numbers(Disk& disk, std::string& where) {
  const auto names = disk.list();
  if (!names) return names.error();
  std::vector<std::uint32_t> numbers;
  for (const auto& name : *names) {
    if (const auto number = segment_number(name)) numbers.push_back(*number);
  }
  std::ranges::sort(numbers);
  for (std::size_t i = 1; i < numbers.size(); ++i) {
    if (numbers[i] == numbers[i - 1] + 1) continue;
    where = segment_name(numbers[i - 1] + 1);
    return LogError::SegmentMissing;
  }
  return numbers;
}

} // namespace

result<std::unique_ptr<Log>>
Log::open(Disk& disk, const LogSettings& settings, LogContent& content, std::string& where) {
  const auto numbers = segment_numbers(disk, where);
  if (!numbers) return numbers.error();

  std::unique_ptr<Log> log{new Log{disk, settings}};
  for (const auto number : *numbers) {
    const bool last = number == numbers->back();
    auto file = disk.open(segment_name(number));
    if (!file) return file.error();
    const auto each = [&](const Record& record, std::uint32_t offset, std::uint32_t size) {
      return log->replay(record, {number, offset, size}, content);
    };
    std::uint64_t damaged_at = 0;
    const auto found = read_segment(**file, number, last, each, damaged_at);
    if (!found) {
      where = segment_name(number) + " at " + std::to_string(damaged_at);
      return found.error();
    }
    if (!found->begun) {
      if (const auto removed = disk.remove(segment_name(number)); !removed) return removed.error();
      continue;
    }
    auto segment = std::make_shared<Segment>(Segment{number, std::move(*file)});
    log->segments_.emplace(number, segment);
    log->last_number_ = number;
    if (!last) continue;

    // What was read may be known to the system only, not to the disk.
    result<void> done;
    if (!found->clean) done = segment->file->resize(found->end);
    if (done) done = segment->file->sync();
    if (!done) return done.error();
    if (!found->clean) continue;
    log->active_ = segment;
    log->end_ = found->end;
  }
  if (const auto synced = disk.sync(); !synced) return synced.error();
  return log;
}

/// False for a record that does not follow what is there.
bool Log::replay(const Record& record, const Location& at, LogContent& content) {
  const auto index = record.entry.index;
  auto& configurations = content.configurations;
  const auto forget = [&](std::uint64_t from) {
    std::erase_if(configurations, [&](const auto& stored) { return stored.index >= from; });
  };

  switch (record.kind) {
  case RecordKind::Entry:
    if (locations_.empty() && index >= first_index_) {
      first_index_ = index; // what was before it is compacted
      content.terms = TermRuns{index - 1, 0};
    }
    if (index != last_index() + 1) return false;
    locations_.push_back(at);
    content.terms.append(record.entry.term);
    if (raftwire::changes_servers(record.entry.type)) {
      auto configuration = raftwire::configuration_of(record.entry);
      if (!configuration) return false;
      configurations.push_back({index, std::move(*configuration)});
    }
    return true;
  case RecordKind::Truncate:
    if (index > last_index() + 1) return locations_.empty();
    if (index > first_index_) {
      content.terms.truncate(index);
      locations_.resize(index - first_index_);
      forget(index);
      return true;
    }
    [[fallthrough]];
  case RecordKind::Reset:
    first_index_ = index;
    content.terms = TermRuns{index - 1, 0};
    locations_.clear();
    configurations.clear();
    return true;
  }
  return false;
}

result<Durable>
recover(const Ballot& ballot, const SnapshotMeta& snapshot, LogContent content, Log& log) {
  const auto& terms = content.terms;
  const auto empty = log.first_index() > log.last_index();
  if (!empty && ballot.term < terms.last_term()) return LogError::BallotOutdated;

  // The snapshot was installed and the log not yet cut: what it has is not what follows.
  const bool behind = log.last_index() < snapshot.index;
  const auto term_there = terms.term(snapshot.index);
  const bool differs = log.first_index() <= snapshot.index && term_there != snapshot.term;
  if (behind || differs) {
    log.reset(snapshot.index + 1);
    return Durable{ballot, snapshot, TermRuns{snapshot.index, snapshot.term}, {}};
  }
  if (log.first_index() > snapshot.index + 1) return LogError::EntriesMissing;

  Durable durable{ballot, snapshot, {}, std::move(content.configurations)};
  if (log.first_index() == snapshot.index + 1) {
    durable.log = TermRuns{snapshot.index, snapshot.term};
    for (auto i = log.first_index(); i <= log.last_index(); ++i) {
      durable.log.append(terms.term(i).value());
    }
  } else {
    durable.log = terms;
    // The term before the first entry is gone, so the first one serves to be compared with only.
    if (terms.base_index() > 0) durable.log.compact(log.first_index());
  }
  return durable;
}

} // namespace switchyard::raft
