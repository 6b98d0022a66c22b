#pragma once

#include "chance.hpp"

#include <plugins/raft/log/disk.hpp>

#include <map>
#include <optional>

namespace switchyard::raft::simulation {

/// A directory in memory that knows what has been synced, and forgets the rest as badly as a
/// journaling file system may: each unsynced write is there, is not, or is in part, sector by
/// sector and in any order; names change in order, but without regard to what the files hold.
class SimulatedDisk final : public Disk {
public:
  boost::system::result<std::vector<std::string>> list() override;
  boost::system::result<std::unique_ptr<File>> open(const std::string& name) override;
  boost::system::result<void> remove(const std::string& name) override;
  boost::system::result<void> sync() override;

  /// The next `operations` that change something succeed, all later ones fail.
  void fail_after(std::uint64_t operations) { left_ = operations; }

  /// The power goes. What was not synced is left to `chance`; then everything works again.
  void lose_power(Chance& chance);

  /// The process is gone; what it has written is not. Everything works again.
  void lose_process() { left_.reset(); }

  /// How many operations have changed something so far.
  [[nodiscard]] std::uint64_t operations() const noexcept { return operations_; }

  /// Flips a bit of what is durable, for tests of damage.
  void damage(const std::string& name, std::size_t offset);

private:
  friend class SimulatedFile;

  struct Change {
    std::optional<std::uint64_t> size; ///< the file is resized to it
    std::uint64_t offset = 0;
    std::vector<std::byte> bytes;
  };

  struct Content {
    std::vector<std::byte> now;
    std::vector<std::byte> durable;
    std::vector<Change> unsynced;
  };

  struct NameChange {
    std::string name;
    std::shared_ptr<Content> content; ///< null: removed
  };

  [[nodiscard]] bool change();
  static void apply(std::vector<std::byte>& bytes, const Change& change);

  std::map<std::string, std::shared_ptr<Content>> names_;
  std::map<std::string, std::shared_ptr<Content>> durable_names_;
  std::vector<NameChange> unsynced_names_;
  std::optional<std::uint64_t> left_;
  std::uint64_t operations_ = 0;
};

} // namespace switchyard::raft::simulation
