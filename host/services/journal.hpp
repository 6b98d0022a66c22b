#pragma once

#include <switchyard/journal.h>

#include <chrono>
#include <cstddef>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace switchyard::host {

/// The table of SY_JOURNAL; `add` finds its instance through `host`.
[[nodiscard]] const sy_journal& journal_table() noexcept;

/// What every registrant has registered with every interface, so that either side can be replaced.
/// add, remove, exchange and what binds: control thread; enter and leave: any thread.
class Journal {
public:
  using Clock = std::chrono::steady_clock;

  /// `removal_limit`: how long remove() waits for running calls.
  explicit Journal(std::chrono::milliseconds removal_limit);
  ~Journal();
  Journal(const Journal&) = delete;
  Journal& operator=(const Journal&) = delete;

  /// Makes `registrar` one for `id`, besides those that are there, and binds everything to it that
  /// is registered. Returns a clause for each registration it did not take; these stay without it.
  [[nodiscard]] std::vector<std::string>
  attach(std::string_view id, const sy_registrar* registrar, void* provider);

  /// Unbinds everything of `id` from the registrar of `provider`, which is gone then; the
  /// registrations stay.
  void detach(std::string_view id, const void* provider);

  /// detach() for a registrar that is not to be called any more.
  void abandon(std::string_view id, const void* provider);

  /// What is registered with `id`: "\"KV.Get\" of plugin catalog".
  [[nodiscard]] std::vector<std::string> registered_with(std::string_view id) const;

  /// The interfaces that `owner` has registered something with.
  [[nodiscard]] std::vector<std::string> registrations_of(const void* owner) const;

  /// The first of `owner`'s interfaces with a registrar that cannot exchange; empty when all can.
  [[nodiscard]] std::string not_exchangeable(const void* owner) const;

  /// What `owner` adds from now on is kept aside: no registrar has it until exchange().
  void keep_aside(const void* owner);

  /// In one step of each registrar: what `before` (null: nobody) has registered is kept aside, and
  /// what `after` has kept aside is bound. Nothing, or a clause that says who does not take it:
  /// then all is as it was.
  [[nodiscard]] std::optional<std::string> exchange(const void* before, const void* after);

  /// Tells the calls that run through registrations of `owner` that their end is wanted soon: those
  /// that can last, or all of them.
  void end_soon(const void* owner, bool all);

  /// As sy_journal.add. `owner` is whatever identifies the registrant, `name` its name. SY_EXISTS
  /// when somebody has `key` there already; what is kept aside of the same name does not count.
  /// Every registrar that is there must take it.
  [[nodiscard]] sy_status
  add(const void* owner,
      std::string_view name,
      std::string_view id,
      std::string_view key,
      const void* entry,
      std::size_t entry_size,
      sy_registration** registration,
      sy_error* error);

  /// Unbinds, waits for running calls, forgets. False when a call still ran at the limit: then the
  /// registrant's code must stay, and the registration is kept for it.
  static bool remove(sy_registration* registration);

  /// remove() for everything of `owner`, with one limit for all of it. Returns the keys of those
  /// with a call still running. Until forget() the owner may still say remove() itself.
  [[nodiscard]] std::vector<std::string> remove_all(const void* owner);

  /// Says that `owner` is gone.
  void forget(const void* owner);

  /// How many calls run through registrations of `owner`, those that were removed at the limit
  /// among them. Any thread.
  [[nodiscard]] std::size_t running(const void* owner) const;

  [[nodiscard]] static sy_status enter(sy_registration* registration) noexcept;
  static void leave(sy_registration* registration) noexcept;

private:
  struct State;
  std::unique_ptr<State> state_;
};

} // namespace switchyard::host
