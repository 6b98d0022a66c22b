#pragma once

#include <plugins/raft/core/durable.hpp>
#include <plugins/raft/log/disk.hpp>

namespace switchyard::raft {

/// Term and vote in the file `ballot`: two slots with a checksum each, written in turn, so that a
/// crash while writing one leaves the other. One thread at a time.
class BallotFile {
public:
  /// Reads the file, or makes an empty one. Fails with LogError::BallotDamaged or the disk's error.
  [[nodiscard]] static boost::system::result<BallotFile> open(Disk& disk);

  [[nodiscard]] const Ballot& ballot() const noexcept { return ballot_; }

  /// Makes `ballot` durable before it returns. After a failure every later call fails too.
  [[nodiscard]] boost::system::result<void> save(const Ballot& ballot);

private:
  explicit BallotFile(std::unique_ptr<File> file) : file_{std::move(file)} {}

  std::unique_ptr<File> file_;
  std::uint64_t sequence_ = 0; ///< of the last slot written; the next goes to the other one
  Ballot ballot_;
  bool failed_ = false;
};

} // namespace switchyard::raft
