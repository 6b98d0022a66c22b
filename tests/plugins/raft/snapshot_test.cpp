#include "simulation/simulated_disk.hpp"

#include <plugins/raft/log/error.hpp>
#include <plugins/raft/snapshot/snapshot_store.hpp>

#include <gtest/gtest.h>

namespace switchyard::raft {
namespace {

using simulation::Chance;
using simulation::SimulatedDisk;

constexpr std::size_t kBlock = 64 * 1024;

SnapshotMeta meta(std::uint64_t index, std::uint64_t term = 3) {
  return {index, term, {{{raftwire::Suffrage::Voter, "s1", "s1:1"}}}, 1};
}

std::vector<std::byte> bytes(std::size_t size) {
  std::vector<std::byte> made(size);
  for (std::size_t at = 0; at < size; ++at)
    made[at] = static_cast<std::byte>(at * 7 + at / 251);
  return made;
}

/// In pieces that do not fit the blocks.
bool write(
    SimulatedDisk& disk,
    const SnapshotMeta& what,
    const std::vector<std::byte>& content,
    SnapshotOrigin origin = SnapshotOrigin::Taken) {
  auto writer = SnapshotWriter::create(disk, what, origin);
  if (!writer) return false;
  for (std::size_t at = 0; at < content.size();) {
    const auto part = std::min<std::size_t>(content.size() - at, 10'007);
    if (!writer->write(std::span{content}.subspan(at, part))) return false;
    at += part;
  }
  return writer->finish(disk).has_value();
}

std::shared_ptr<const SnapshotFile> latest(SimulatedDisk& disk) {
  std::string where;
  const auto opened = open_latest_snapshot(disk, where);
  EXPECT_TRUE(opened) << where;
  return opened ? *opened : nullptr;
}

std::vector<std::byte> read(const std::shared_ptr<const SnapshotFile>& file) {
  SnapshotReader reader{file};
  std::vector<std::byte> all;
  for (;;) {
    const auto next = reader.next();
    EXPECT_TRUE(next);
    if (!next || next->empty()) return all;
    all.insert(all.end(), next->begin(), next->end());
  }
}

class RaftSnapshotSize : public testing::TestWithParam<std::size_t> {};

TEST_P(RaftSnapshotSize, ComesBackAsItWasWritten) {
  SimulatedDisk disk;
  const auto content = bytes(GetParam());
  ASSERT_TRUE(write(disk, meta(7), content));
  const auto file = latest(disk);
  ASSERT_NE(file, nullptr);
  EXPECT_EQ(file->meta(), meta(7));
  EXPECT_EQ(file->size(), content.size());
  EXPECT_EQ(read(file), content);
}

INSTANTIATE_TEST_SUITE_P(
    Sizes,
    RaftSnapshotSize,
    testing::Values(0, 1, kBlock - 1, kBlock, kBlock + 1, 3 * kBlock + 12'345));

TEST(RaftSnapshotStore, KeepsTheLatestAndRemovesTheRest) {
  SimulatedDisk disk;
  ASSERT_TRUE(write(disk, meta(7), bytes(10)));
  ASSERT_TRUE(write(disk, meta(12), bytes(20), SnapshotOrigin::Received));
  ASSERT_TRUE(write(disk, meta(9), bytes(30)));
  EXPECT_EQ(latest(disk)->meta().index, 12U);
  EXPECT_EQ(disk.list()->size(), 1U);
}

/// A crash at any point, with the worst that can become of what was not synced: the snapshot is
/// whole or not there, and the one before it is there as long as it is not.
TEST(RaftSnapshotStore, LosesNothingInACrash) {
  const auto before = bytes(1000);
  const auto after = bytes(2 * kBlock + 500);
  std::uint64_t most = 0;
  for (std::uint64_t operations = 0; operations <= most + 1; ++operations) {
    for (std::uint64_t seed = 1; seed <= 20; ++seed) {
      SimulatedDisk disk;
      ASSERT_TRUE(write(disk, meta(7), before));
      const auto begun = disk.operations();
      disk.fail_after(operations);
      const bool whole = write(disk, meta(12), after);
      most = std::max(most, disk.operations() - begun);
      Chance chance{seed};
      disk.lose_power(chance);

      const auto file = latest(disk);
      ASSERT_NE(file, nullptr);
      if (whole) {
        ASSERT_EQ(file->meta().index, 12U);
      }
      ASSERT_EQ(read(file), file->meta().index == 12 ? after : before);
    }
  }
}

TEST(RaftSnapshotFile, NoticesEveryDamagedByte) {
  const auto content = bytes(kBlock + 100);
  const auto name = snapshot_name(meta(7), SnapshotOrigin::Taken);
  for (std::size_t at = 0; at < kBlock + 200; at += 61) {
    SimulatedDisk disk;
    ASSERT_TRUE(write(disk, meta(7), content));
    const auto size = (*disk.open(name))->size().value();
    if (at >= size) break;
    disk.damage(name, at);
    const auto file = SnapshotFile::open(disk, name);
    if (!file) {
      EXPECT_EQ(file.error(), LogError::Damaged);
      continue;
    }
    if (*file == nullptr) continue; // the trailer
    SnapshotReader reader{*file};
    bool damaged = false;
    for (auto next = reader.next(); !damaged && (!next || !next->empty());) {
      damaged = !next;
      if (next) next = reader.next();
    }
    EXPECT_TRUE(damaged) << at;
  }
}

} // namespace
} // namespace switchyard::raft
