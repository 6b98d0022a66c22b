#pragma once

#include <switchyard/raft/consensus.h>

#include <plugins/raft/core/call.hpp>
#include <plugins/raft/core/settings.hpp>

#include <map>
#include <optional>
#include <unordered_map>
#include <variant>
#include <vector>

namespace switchyard::raft {

/// What an application has asked for, until it is told how it ended.
struct Call {
  struct Propose {
    std::string data;
    std::string extensions;
  };

  struct Barrier {};

  struct Verify {};

  struct Transfer {
    std::string server;
  };

  struct Snapshot {};

  std::variant<Propose, Barrier, Verify, ServerChange, Transfer, Snapshot> what;
  Time deadline;
  sy_raft_done done;
  void* context;
};

/// How a call has ended; told outside of all locks.
struct Finished {
  sy_raft_done done;
  void* context;
  sy_status status = SY_OK;
  std::uint64_t index = 0;
  std::string result{};
  std::string error{};

  void tell() const;
};

/// The calls of the application that are not finished, and what they take. One thread at a time.
class Calls {
public:
  /// Bytes of commands that may wait.
  static constexpr std::size_t kBytesMax = 256U << 20;

  explicit Calls(std::size_t most) noexcept : most_{most} {}

  /// Nullopt: there are too many.
  [[nodiscard]] std::optional<CallId> add(Call call);

  /// Null when it has ended, of its time perhaps.
  [[nodiscard]] Call* find(CallId id) noexcept;

  /// It ends once `index` is applied.
  void await(CallId id, std::uint64_t index) { awaiting_.emplace(index, id); }

  /// Ends one that has not ended; `into` gets how.
  void finish(
      CallId id,
      sy_status status,
      std::uint64_t index,
      std::string error,
      std::vector<Finished>& into);

  /// What awaits `index`, with its result, and what awaits anything before it.
  void applied(std::uint64_t index, std::string result, std::vector<Finished>& into);

  /// What awaits anything up to `index` ends: it is applied, by one that says no results.
  void passed(std::uint64_t index, std::vector<Finished>& into);

  [[nodiscard]] bool empty() const noexcept { return calls_.empty(); }

  /// True if a call awaits an index up to `index`.
  [[nodiscard]] bool awaits(std::uint64_t index) const noexcept {
    return !awaiting_.empty() && awaiting_.begin()->first <= index;
  }

  void expire(Time now, std::vector<Finished>& into);
  void finish_all(sy_status status, std::string_view error, std::vector<Finished>& into);

  /// When the next one expires; Time::max() without any.
  [[nodiscard]] Time next_deadline() const noexcept {
    return deadlines_.empty() ? Time::max() : deadlines_.begin()->first;
  }

private:
  struct Held {
    Call call;
    std::multimap<Time, CallId>::iterator deadline;
    std::size_t bytes;
  };

  const std::size_t most_;
  std::size_t bytes_ = 0;
  CallId last_ = 0;
  std::unordered_map<CallId, Held> calls_;
  std::multimap<Time, CallId> deadlines_;
  std::multimap<std::uint64_t, CallId> awaiting_;
};

} // namespace switchyard::raft
