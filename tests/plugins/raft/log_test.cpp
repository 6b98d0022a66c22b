#include "simulation/simulated_disk.hpp"

#include <plugins/raft/log/ballot_file.hpp>
#include <plugins/raft/log/checksum.hpp>
#include <plugins/raft/log/error.hpp>
#include <plugins/raft/log/log.hpp>
#include <plugins/raft/log/segment.hpp>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <sstream>

namespace switchyard::raft {
namespace {

using simulation::Chance;
using simulation::SimulatedDisk;

constexpr LogSettings kSmall{.segment_bytes = 1024};

/// A log that was opened, and what it held.
struct Opened {
  LogContent content;
  std::string where;
  boost::system::result<std::unique_ptr<Log>> log;

  explicit Opened(Disk& disk) : log{Log::open(disk, kSmall, content, where)} {}

  Log& operator*() { return **log; }

  Log* operator->() { return log->get(); }
};

raftwire::Entry entry(std::uint64_t index, std::uint64_t term, std::string_view data) {
  return {index, term, raftwire::EntryType::Command, data, {}};
}

bool flush(Log& log, Disk& disk) {
  if (!log.has_batch()) return true;
  auto batch = log.take_batch();
  if (!batch.write(disk, kSmall)) return false;
  log.written(batch);
  return true;
}

std::string dump(const Log& log) {
  std::string text;
  for (auto i = log.first_index(); i <= log.last_index(); ++i) {
    const auto stored = log.read(i);
    if (!stored) return "unreadable at " + std::to_string(i);
    text += std::to_string(i) + '/' + std::to_string(stored->entry.term) + ' ' +
            std::string{stored->entry.data} + std::string{stored->entry.extensions} + '\n';
  }
  return text;
}

TEST(RaftLog, KeepsWhatWasWritten) {
  SimulatedDisk disk;
  const std::string large(5000, 'x'); // more than a segment
  std::string before;
  {
    Opened log{disk};
    ASSERT_TRUE(log.log);
    log->append({1, 1, raftwire::EntryType::Command, "data", "extensions"});
    EXPECT_EQ(dump(*log), "1/1 dataextensions\n"); // before it is written
    log->append(entry(2, 1, large));
    ASSERT_TRUE(flush(*log, disk));
    for (std::uint64_t i = 3; i <= 40; ++i)
      log->append(entry(i, 2, std::string(i, 'y')));
    ASSERT_TRUE(flush(*log, disk));
    before = dump(*log);
  }
  Opened again{disk};
  ASSERT_TRUE(again.log) << again.where;
  EXPECT_EQ(dump(*again), before);
  EXPECT_EQ(again.content.terms.term(2), 1U);
  EXPECT_EQ(again.content.terms.term(3), 2U);
  EXPECT_EQ(again->fitting(3, 38, 1), 1U);
  EXPECT_EQ(again->fitting(3, 2, 1000), 2U);
  EXPECT_EQ(again->read(41).error(), LogError::NoSuchEntry);
}

/// What is read at a time is smaller than that; zeros at the end are data, too.
TEST(RaftLog, ReadsEntriesOfAnySize) {
  SimulatedDisk disk;
  const LogSettings settings{.segment_bytes = 16U << 20};
  LogContent content;
  std::string where;
  std::string before;
  {
    auto log = Log::open(disk, settings, content, where);
    ASSERT_TRUE(log);
    std::uint64_t index = 0;
    for (const std::size_t size :
         {1U << 20, 3U << 20, 100U, (1U << 20) - 40, (1U << 20) - 104, 5U << 20})
      (*log)->append(entry(++index, 1, std::string(size, 'x')));
    (*log)->append(entry(++index, 1, std::string(3U << 20, '\0')));
    auto batch = (*log)->take_batch();
    ASSERT_TRUE(batch.write(disk, settings));
    (*log)->written(batch);
    before = dump(**log);
  }
  auto again = Log::open(disk, settings, content = {}, where);
  ASSERT_TRUE(again) << where;
  EXPECT_TRUE(dump(**again) == before); // not Equal: it would print both
}

TEST(RaftLog, TakesEntriesBack) {
  SimulatedDisk disk;
  Opened log{disk};
  for (std::uint64_t i = 1; i <= 60; ++i)
    log->append(entry(i, 1, "old"));
  log->truncate(5);
  log->append(entry(5, 2, "new"));
  EXPECT_EQ(dump(*log), "1/1 old\n2/1 old\n3/1 old\n4/1 old\n5/2 new\n");
  ASSERT_TRUE(flush(*log, disk));
  Opened again{disk};
  ASSERT_TRUE(again.log) << again.where;
  EXPECT_EQ(dump(*again), dump(*log));
  EXPECT_EQ(again.content.terms.last_term(), 2U);
}

TEST(RaftLog, GivesBackSpace) {
  SimulatedDisk disk;
  Opened log{disk};
  for (std::uint64_t i = 1; i <= 100; ++i)
    log->append(entry(i, 1, "content"));
  ASSERT_TRUE(flush(*log, disk));
  const auto before = disk.list()->size();
  log->compact(90);
  EXPECT_EQ(log->first_index(), 91U);
  ASSERT_TRUE(flush(*log, disk));
  EXPECT_LT(disk.list()->size(), before);

  Opened again{disk};
  ASSERT_TRUE(again.log) << again.where;
  EXPECT_LE(again->first_index(), 91U);
  EXPECT_GT(again->first_index(), 1U);
  EXPECT_EQ(again->last_index(), 100U);

  again->reset(200);
  again->append(entry(200, 3, "far"));
  ASSERT_TRUE(flush(*again, disk));
  EXPECT_EQ(disk.list()->size(), 1U);
  Opened third{disk};
  ASSERT_TRUE(third.log) << third.where;
  EXPECT_EQ(dump(*third), "200/3 far\n");
}

TEST(RaftLog, RefusesDamageInTheMiddleAndNamesIt) {
  SimulatedDisk disk;
  {
    Opened log{disk};
    for (std::uint64_t i = 1; i <= 60; ++i) {
      log->append(entry(i, 1, "content"));
      ASSERT_TRUE(flush(*log, disk));
    }
  }

  const struct {
    std::string_view name;
    std::uint32_t segment;
    std::size_t offset;
    std::string_view where;
  } cases[] = {
      {"the header of a segment", 1, 3, "0000000000000001.log at 0"},
      {"a record of the first segment", 1, 64 + 48 + 8, "0000000000000001.log at 112"},
      {"the header of the last segment", 3, 3, "0000000000000003.log at 0"},
      {"a record of the last segment", 3, 64 + 2, "0000000000000003.log at 64"},
  };

  ASSERT_EQ(disk.list()->size(), 3U);
  for (const auto& c : cases) {
    SCOPED_TRACE(c.name);
    disk.damage(segment_name(c.segment), c.offset);
    Opened log{disk};
    ASSERT_FALSE(log.log);
    EXPECT_EQ(log.log.error(), LogError::Damaged);
    EXPECT_EQ(log.where, c.where);
    disk.damage(segment_name(c.segment), c.offset); // and mended
    EXPECT_TRUE(Opened{disk}.log);
  }

  ASSERT_TRUE(disk.remove(segment_name(2)));
  Opened log{disk};
  EXPECT_EQ(log.log.error(), LogError::SegmentMissing);
  EXPECT_EQ(log.where, segment_name(2));
}

TEST(RaftLog, FailsForGoodAfterAFailure) {
  SimulatedDisk disk;
  Opened log{disk};
  log->append(entry(1, 1, "a"));
  ASSERT_TRUE(flush(*log, disk));
  log->append(entry(2, 1, "b"));
  disk.fail_after(1); // the write succeeds, the sync does not
  EXPECT_FALSE(flush(*log, disk));
  disk.lose_process(); // the disk works again
  log->append(entry(3, 1, "c"));
  auto batch = log->take_batch();
  const auto operations = disk.operations();
  EXPECT_EQ(batch.write(disk, kSmall).error(), LogError::Failed);
  EXPECT_EQ(disk.operations(), operations);
}

/// One thing a log is asked to do.
struct Operation {
  enum class Kind : std::uint8_t { Append, Truncate, Reset, Compact };

  Kind kind;
  std::uint64_t index;
  std::uint64_t term;

  void on(Log& log) const {
    switch (kind) {
    case Kind::Append: {
      const std::string data(10 + 37 * index % 90, static_cast<char>('a' + term));
      return log.append(entry(index, term, data));
    }
    case Kind::Truncate: return log.truncate(index);
    case Kind::Reset: return log.reset(index);
    case Kind::Compact: return log.compact(index);
    }
  }
};

using Step = std::vector<Operation>; // what is written together

Step appends(std::uint64_t first, std::uint64_t last, std::uint64_t term) {
  Step step;
  for (auto i = first; i <= last; ++i)
    step.push_back({Operation::Kind::Append, i, term});
  return step;
}

Step then(Operation operation, Step step) {
  step.insert(step.begin(), operation);
  return step;
}

/// What of `dump` is not compacted at `floor`.
std::string above(const std::string& dump, std::uint64_t floor) {
  std::istringstream lines{dump};
  std::string rest;
  for (std::string line; std::getline(lines, line);) {
    if (std::stoull(line) >= floor) rest += line + '\n';
  }
  return rest;
}

/// The batch that the crash falls into is there up to some record, the ones before it are there
/// whole, and nothing else is.
TEST(RaftLog, SurvivesACrashAtEveryOperationOfTheDisk) {
  using Kind = Operation::Kind;
  const Step steps[] = {
      appends(1, 3, 1),
      appends(4, 15, 1),
      then({Kind::Truncate, 9, 0}, appends(9, 12, 2)),
      appends(13, 33, 3),
      then({Kind::Truncate, 11, 0}, appends(11, 12, 4)),
      {{Kind::Compact, 7, 0}},
      appends(13, 27, 4),
      then({Kind::Reset, 40, 0}, appends(40, 41, 5)),
      appends(42, 51, 5),
  };

  bool finished = false;
  std::uint64_t crash_at = 0;
  for (; !finished; ++crash_at) {
    for (std::uint64_t state = 0; state < 12; ++state) {
      SCOPED_TRACE("operation " + std::to_string(crash_at) + " state " + std::to_string(state));
      Chance chance{crash_at * 1000 + state};
      SimulatedDisk disk;
      std::vector<std::string> allowed{""};
      std::uint64_t floor = 1;
      {
        Opened log{disk};
        ASSERT_TRUE(log.log);
        disk.fail_after(crash_at);
        finished = true;
        for (const auto& step : steps) {
          allowed = {dump(*log)};
          for (const auto& operation : step) {
            operation.on(*log);
            allowed.push_back(dump(*log));
          }
          if (step.front().kind == Kind::Compact) floor = log->first_index();
          finished = flush(*log, disk);
          if (!finished) break;
          allowed = {dump(*log)};
        }
      }
      disk.lose_power(chance);
      Opened log{disk};
      ASSERT_TRUE(log.log) << log.log.error().message() << ' ' << log.where;
      for (auto& one : allowed)
        one = above(one, floor);
      EXPECT_THAT(allowed, testing::Contains(above(dump(*log), floor)));

      // And it goes on from there.
      log->append(entry(log->last_index() + 1, 9, "later"));
      ASSERT_TRUE(flush(*log, disk));
      Opened again{disk};
      ASSERT_TRUE(again.log) << again.where;
      EXPECT_EQ(dump(*again), dump(*log));
    }
  }
  EXPECT_GT(crash_at, 30U);
}

TEST(RaftBallot, SurvivesACrashAtEveryOperation) {
  for (std::uint64_t crash_at = 0; crash_at < 12; ++crash_at) {
    for (std::uint64_t state = 0; state < 20; ++state) {
      Chance chance{crash_at * 1000 + state};
      SimulatedDisk disk;
      Ballot saved;
      Ballot tried;
      {
        auto file = BallotFile::open(disk);
        ASSERT_TRUE(file);
        disk.fail_after(crash_at);
        for (std::uint64_t term = 1; term <= 5; ++term) {
          tried = {term, "candidate " + std::to_string(term)};
          if (!file->save(tried)) break;
          saved = tried;
        }
        if (saved != tried) {
          EXPECT_EQ(file->save({9, {}}).error(), LogError::Failed);
        }
      }
      disk.lose_power(chance);
      const auto file = BallotFile::open(disk);
      ASSERT_TRUE(file) << file.error().message();
      EXPECT_TRUE(file->ballot() == saved || file->ballot() == tried) << file->ballot().term;
    }
  }
}

TEST(RaftBallot, RefusesDamage) {
  SimulatedDisk disk;
  auto file = BallotFile::open(disk);
  ASSERT_TRUE(file->save({1, "a"}));
  ASSERT_TRUE(file->save({2, "b"}));
  disk.damage("ballot", 4096 + 30);
  EXPECT_EQ(BallotFile::open(disk)->ballot(), (Ballot{2, "b"}));
  disk.damage("ballot", 30);
  EXPECT_EQ(BallotFile::open(disk).error(), LogError::BallotDamaged);
}

TEST(RaftLog, IsBroughtInLineWithTheSnapshot) {
  const struct {
    std::string_view name;
    SnapshotMeta snapshot;
    std::uint64_t base;
    std::uint64_t last;
  } cases[] = {
      {"no snapshot", {}, 0, 10},
      {"one within", {5, 1, {}, 1}, 0, 10},
      {"one at the end", {10, 1, {}, 1}, 0, 10},
      {"one beyond", {12, 2, {}, 1}, 12, 12},
      {"one of another term there", {5, 2, {}, 1}, 5, 5},
  };

  for (const auto& c : cases) {
    SCOPED_TRACE(c.name);
    SimulatedDisk disk;
    {
      Opened log{disk};
      for (std::uint64_t i = 1; i <= 10; ++i)
        log->append(entry(i, 1, "x"));
      ASSERT_TRUE(flush(*log, disk));
    }
    Opened log{disk};
    const auto durable = recover({3, {}}, c.snapshot, log.content, *log);
    ASSERT_TRUE(durable);
    EXPECT_EQ(durable->log.base_index(), c.base);
    EXPECT_EQ(durable->log.last_index(), c.last);
    EXPECT_EQ(log->last_index(), c.last);
  }
}

TEST(RaftLog, RefusesWhatCannotBe) {
  SimulatedDisk disk;
  Opened log{disk};
  log->reset(8);
  log->append(entry(8, 3, "x"));
  TermRuns terms{7, 0};
  terms.append(3);
  EXPECT_EQ(recover({3, {}}, {5, 1, {}, 1}, {terms, {}}, *log).error(), LogError::EntriesMissing);
  EXPECT_EQ(recover({2, {}}, {7, 1, {}, 1}, {terms, {}}, *log).error(), LogError::BallotOutdated);
  EXPECT_TRUE(recover({3, {}}, {7, 1, {}, 1}, {terms, {}}, *log));
}

TEST(RaftChecksum, IsCastagnoli) {
  const std::string digits = "123456789"; // the check value of the catalogue of CRCs
  EXPECT_EQ(crc32c(std::as_bytes(std::span{digits})), 0xe3069283U);
}

} // namespace
} // namespace switchyard::raft
