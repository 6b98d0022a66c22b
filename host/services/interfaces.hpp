#pragma once

#include <switchyard/interfaces.h>

#include <chrono>
#include <cstddef>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace switchyard::host {

/// The table of SY_INTERFACES; `open` finds its instance through `host`.
[[nodiscard]] const sy_interfaces& interfaces_table() noexcept;

/// Who provides which interface, and who holds a lease on it now. A consumer's handle outlives its
/// provider. While a provider is replaced there are two: new leases lead to one of them, those that
/// are out stay with theirs. open, close, publish, revoke and hold: control thread; acquire and
/// release: any thread.
class Interfaces {
public:
  using Clock = std::chrono::steady_clock;

  Interfaces();
  ~Interfaces();
  Interfaces(const Interfaces&) = delete;
  Interfaces& operator=(const Interfaces&) = delete;

  /// From now on a lease on `id` leads to `table` and `provider`, in one step. The one before may
  /// still be called until it is revoked; whoever was there before that must have no lease out,
  /// which this waits for until `deadline`. Returns the names of the consumers that hold such a
  /// lease: then nothing has changed.
  [[nodiscard]] std::vector<std::string>
  publish(std::string_view id, const void* table, void* provider, Clock::time_point deadline);

  /// Ends `provider`'s part in `id`: if leases lead to it, acquire() says SY_REVOKED from now on.
  /// Waits until no lease on it is out, at most until `deadline`; returns the names of the
  /// consumers that still hold one: the provider must stay then.
  [[nodiscard]] std::vector<std::string>
  revoke(std::string_view id, const void* provider, Clock::time_point deadline);

  /// The names of the consumers that have a lease on `id` of `provider` out now.
  [[nodiscard]] std::vector<std::string> leased_by(std::string_view id, const void* provider) const;

  /// acquire() says SY_REVOKED to `owner` on `id` until release_hold(). Waits until it has no lease
  /// out there, at most until `deadline`; false when it still has one.
  [[nodiscard]] bool hold(const void* owner, std::string_view id, Clock::time_point deadline);
  void release_hold(const void* owner, std::string_view id);

  /// A handle for `owner`, which is whatever identifies an instance; `consumer` is its name.
  [[nodiscard]] sy_interface*
  open(const void* owner, std::string_view consumer, std::string_view id);

  /// Closes every handle of `owner`. Returns how many leases of it are still out.
  [[nodiscard]] std::size_t close_all(const void* owner);

  /// The handle is freed later, once no lease on it is out.
  static void close(sy_interface* handle) noexcept;

  [[nodiscard]] static sy_status acquire(sy_interface* handle, sy_lease* lease) noexcept;
  static void release(sy_lease* lease) noexcept;

private:
  struct State;
  std::unique_ptr<State> state_;
};

} // namespace switchyard::host
