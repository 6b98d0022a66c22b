#pragma once

#include <plugins/raft/snapshot/snapshot_file.hpp>

namespace switchyard::raft {

/// The latest whole snapshot in `disk`, null if there is none. What is not whole is removed, and
/// what is older than the latest. Fails with LogError::Damaged, and the name in `where`, or with
/// the disk's error.
[[nodiscard]] boost::system::result<std::shared_ptr<const SnapshotFile>>
open_latest_snapshot(Disk& disk, std::string& where);

} // namespace switchyard::raft
