#pragma once

#include <switchyard/journal.h>
#include <switchyard/raft/consensus.h>

#include <plugins/raft/core/action.hpp>
#include <plugins/raft/log/log.hpp>
#include <plugins/raft/snapshot/snapshot_file.hpp>

#include <atomic>
#include <memory>
#include <optional>

namespace switchyard::raft {

/// The state machine that a plugin has registered. It may leave at any time: then every function
/// says SY_REVOKED. One thread at a time, but for write().
class Machine {
public:
  Machine(const sy_journal& journal, sy_registration* registration, const sy_raft_machine& entry)
      : journal_{journal}, registration_{registration}, entry_{entry} {}

  /// The same, and its registrant does not leave while this is there: whoever calls it without the
  /// lock under which it is bound has made this with it. Null when it is leaving already.
  [[nodiscard]] static std::shared_ptr<const Machine> held(std::shared_ptr<const Machine> machine);

  [[nodiscard]] sy_registration* registration() const noexcept { return registration_; }

  [[nodiscard]] bool persistent() const noexcept {
    return (entry_.flags & SY_RAFT_PERSISTENT) != 0;
  }

  /// The last entry that is in its state; nullopt: it is leaving.
  [[nodiscard]] std::optional<std::uint64_t> applied() const;

  /// Results come in the order of the entries.
  sy_status apply(
      const std::vector<sy_raft_entry>& entries,
      std::vector<std::string>& results,
      std::string& error) const;

  /// A frozen state, until it is released.
  class View {
  public:
    View(const Machine& machine, void* view) noexcept : machine_{&machine}, view_{view} {}

    View(const View&) = delete;
    View& operator=(const View&) = delete;

    /// Releases it; the registrant has been held meanwhile.
    ~View();

    sy_status write(SnapshotWriter& into, const std::atomic<bool>& cancelled, std::string& error);

  private:
    const Machine* machine_;
    void* view_;
  };

  /// Null on failure.
  [[nodiscard]] std::unique_ptr<View> capture(std::string& error) const;

  sy_status restore(
      const std::shared_ptr<const SnapshotFile>& file,
      const std::atomic<bool>& cancelled,
      std::string& error) const;
  void restored(bool keep) const;
  void tell(const LeaderChanged& change) const;
  void placed(bool is) const;

private:
  const sy_journal& journal_;
  sy_registration* registration_;
  const sy_raft_machine entry_;
};

} // namespace switchyard::raft
