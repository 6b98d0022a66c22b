#include <plugins/raft/snapshot/snapshot_store.hpp>

#include <utility>

namespace switchyard::raft {

using boost::system::result;

result<std::shared_ptr<const SnapshotFile>> open_latest_snapshot(Disk& disk, std::string& where) {
  const auto names = disk.list();
  if (!names) return names.error();
  std::shared_ptr<const SnapshotFile> latest;
  for (const auto& name : *names) {
    if (!is_snapshot_name(name)) continue;
    auto file = SnapshotFile::open(disk, name);
    where = name;
    if (!file) return file.error();
    const auto order = [](const SnapshotFile& one) {
      return std::pair{one.meta().index, one.meta().term};
    };
    if (*file && (!latest || order(*latest) < order(**file))) latest = std::move(*file);
  }
  for (const auto& name : *names) {
    if (!is_snapshot_name(name) || (latest && name == latest->name())) continue;
    if (const auto done = disk.remove(name); !done) return done.error();
  }
  if (const auto done = disk.sync(); !done) return done.error();
  return latest;
}

} // namespace switchyard::raft
