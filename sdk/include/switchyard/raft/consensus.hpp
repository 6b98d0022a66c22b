#pragma once

#include <switchyard/interfaces.hpp>
#include <switchyard/raft/consensus.h>

#include <chrono>
#include <cstddef>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace switchyard {

/// How a call into the replicated log has ended.
struct RaftOutcome {
  sy_status status = SY_OK;          ///< SY_RAFT_… among others
  std::uint64_t index = 0;           ///< with SY_OK
  std::span<const std::byte> result; ///< of the state machine; valid during the call
  std::string_view error;            ///< why not; valid during the call
};

/// The replicated log of this server. Made and destroyed on control; the manifest requires
/// switchyard.raft.consensus/1. Calls: any thread. Each that returns SY_OK tells `done` once,
/// later, on any thread; what `done` throws is logged.
class RaftConsensus {
public:
  using Done = std::function<void(const RaftOutcome&)>;

  explicit RaftConsensus(const Host& host) : host_{host}, handle_{host, SY_RAFT_CONSENSUS} {}

  sy_status
  propose(std::span<const std::byte> command, std::chrono::nanoseconds timeout, Done done) const {
    return begin(std::move(done), [&](const auto& raft, auto ended, void* context) {
      return raft->propose(raft.provider(), to_c(command), {}, count(timeout), ended, context);
    });
  }

  sy_status barrier(std::chrono::nanoseconds timeout, Done done) const {
    return begin(std::move(done), [&](const auto& raft, auto ended, void* context) {
      return raft->barrier(raft.provider(), count(timeout), ended, context);
    });
  }

  /// After it the state machine here may be read.
  sy_status verify(std::chrono::nanoseconds timeout, Done done) const {
    return begin(std::move(done), [&](const auto& raft, auto ended, void* context) {
      return raft->verify(raft.provider(), count(timeout), ended, context);
    });
  }

  /// Sets the struct_size of `change`.
  sy_status change(sy_raft_change change, std::chrono::nanoseconds timeout, Done done) const {
    change.struct_size = sizeof change;
    return begin(std::move(done), [&](const auto& raft, auto ended, void* context) {
      return raft->change(raft.provider(), &change, count(timeout), ended, context);
    });
  }

  /// To the voter that is furthest if `server` is empty.
  sy_status transfer(std::string_view server, std::chrono::nanoseconds timeout, Done done) const {
    return begin(std::move(done), [&](const auto& raft, auto ended, void* context) {
      return raft->transfer(raft.provider(), to_c(server), count(timeout), ended, context);
    });
  }

  sy_status snapshot(std::chrono::nanoseconds timeout, Done done) const {
    return begin(std::move(done), [&](const auto& raft, auto ended, void* context) {
      return raft->snapshot(raft.provider(), count(timeout), ended, context);
    });
  }

  /// Of a persistent state machine.
  void durable(std::uint64_t index) const {
    if (const auto raft = handle_.lease()) raft->durable(raft.provider(), index);
  }

  /// Shows the present state to `look`, inside the call.
  template <class Look>
  sy_status state(Look look) const {
    const auto raft = handle_.lease();
    if (!raft) return SY_REVOKED;
    return raft->state(
        raft.provider(),
        [](void* context, const sy_raft_state* state) { (*static_cast<Look*>(context))(*state); },
        &look);
  }

private:
  struct Pending {
    Host host;
    Done done;
  };

  static std::uint64_t count(std::chrono::nanoseconds timeout) noexcept {
    return static_cast<std::uint64_t>(timeout.count());
  }

  static void told(
      void* context,
      sy_status status,
      std::uint64_t index,
      sy_bytes result,
      const sy_error* error) noexcept {
    const std::unique_ptr<Pending> pending{static_cast<Pending*>(context)};
    RaftOutcome outcome{status, index, view(result), {}};
    if (error != nullptr) outcome.error = static_cast<const char*>(error->text);
    logged_at_boundary(pending->host, [&] { pending->done(outcome); });
  }

  template <class Start>
  sy_status begin(Done done, Start start) const {
    const auto raft = handle_.lease();
    if (!raft) return SY_REVOKED;
    auto pending = std::make_unique<Pending>(Pending{host_, std::move(done)});
    const sy_status status = start(raft, &RaftConsensus::told, pending.get());
    if (status == SY_OK) static_cast<void>(pending.release());
    return status;
  }

  Host host_;
  InterfaceHandle<sy_raft_consensus> handle_;
};

/// A class as the state machine of the replicated log, registered as long as this object lives.
/// `T` has, with the threads and meanings of sy_raft_machine,
///
///     std::uint64_t applied();                      // the last entry that is in the state
///     std::vector<std::string> apply(std::span<const sy_raft_entry>);  // a result for each
///     std::function<void(Sink)> capture();          // the frozen state, as what writes it
///     void restore(std::uint64_t index, Source);    // into a state beside the present one
///     void restored(bool keep);
///
/// and, if it wants to be told, void leadership(const sy_raft_leadership&) and void placed(bool).
/// They report by throwing Failure. Made and destroyed on control.
template <class T>
class RaftMachine {
public:
  /// Throws Failure when the snapshot cannot be written further.
  using Sink = std::function<void(std::span<const std::byte>)>;

  /// The next bytes, none at the end. Throws Failure.
  using Source = std::function<std::span<const std::byte>()>;

  /// `machine` outlives this. Throws Failure when another one is registered.
  RaftMachine(const Host& host, T& machine, std::uint32_t flags = 0)
      : journal_{&host.require<sy_journal>()} {
    sy_raft_machine entry{};
    entry.struct_size = sizeof entry;
    entry.flags = flags;
    entry.context = &machine;
    entry.applied = &RaftMachine::applied;
    entry.apply = &RaftMachine::apply;
    entry.capture = &RaftMachine::capture;
    entry.write = &RaftMachine::write;
    entry.release = &RaftMachine::release;
    entry.restore = &RaftMachine::restore;
    entry.restored = &RaftMachine::restored;
    if constexpr (requires(T & t, const sy_raft_leadership& l) { t.leadership(l); }) {
      entry.leadership = &RaftMachine::leadership;
    }
    if constexpr (requires(T & t) { t.placed(true); }) {
      entry.placed = &RaftMachine::placed;
    }
    auto error = make_error();
    throw_unless_ok(
        journal_->add(
            host.get(),
            SY_RAFT_CONSENSUS,
            to_c("machine"),
            &entry,
            sizeof entry,
            &registration_,
            &error),
        error);
  }

  RaftMachine(const RaftMachine&) = delete;
  RaftMachine& operator=(const RaftMachine&) = delete;

  ~RaftMachine() { journal_->remove(registration_); }

private:
  using Writer = std::function<void(Sink)>;

  static T& self(void* context) noexcept { return *static_cast<T*>(context); }

  static std::uint64_t applied(void* context) noexcept { return self(context).applied(); }

  static sy_status apply(
      void* context,
      const sy_raft_entry* entries,
      std::size_t count,
      const sy_raft_results* results,
      sy_error* error) noexcept {
    return at_boundary(error, [&] {
      const std::vector<std::string> made = self(context).apply(std::span{entries, count});
      for (std::size_t at = 0; at < made.size(); ++at)
        results->set(results, at, {made[at].data(), made[at].size()});
    });
  }

  static sy_status capture(void* context, void** into, sy_error* error) noexcept {
    return at_boundary(error, [&] { *into = new Writer{self(context).capture()}; });
  }

  static sy_status write(void*, void* writer, const sy_raft_sink* sink, sy_error* error) noexcept {
    return at_boundary(error, [&] {
      (*static_cast<Writer*>(writer))([sink](std::span<const std::byte> bytes) {
        const auto status = sink->write(sink, to_c(bytes));
        if (status != SY_OK) throw Failure{status, "the snapshot cannot be written further"};
      });
    });
  }

  static void release(void*, void* writer) noexcept { delete static_cast<Writer*>(writer); }

  static sy_status restore(
      void* context, std::uint64_t index, const sy_raft_source* source, sy_error* error) noexcept {
    return at_boundary(error, [&] {
      self(context).restore(index, [source] {
        sy_bytes bytes{};
        const auto status = source->read(source, &bytes);
        if (status != SY_OK) throw Failure{status, "the snapshot cannot be read further"};
        return view(bytes);
      });
    });
  }

  static void restored(void* context, std::uint32_t keep) noexcept {
    static_cast<void>(at_boundary([&] { self(context).restored(keep != 0); }));
  }

  static void leadership(void* context, const sy_raft_leadership* leadership) noexcept {
    static_cast<void>(at_boundary([&] { self(context).leadership(*leadership); }));
  }

  static void placed(void* context, std::uint32_t placed) noexcept {
    static_cast<void>(at_boundary([&] { self(context).placed(placed != 0); }));
  }

  const sy_journal* journal_;
  sy_registration* registration_ = nullptr;
};

} // namespace switchyard
