#pragma once

#include <host/connection/plugin_place.hpp>
#include <host/limit/client_limit.hpp>
#include <host/loop/loop.hpp>

#include <boost/asio/basic_waitable_timer.hpp>
#include <boost/asio/posix/basic_stream_descriptor.hpp>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <unordered_map>

namespace switchyard::host {

class ConnectionOwner;

/// Knows when connections that a plugin serves as descriptors end. It keeps a duplicate of each, in
/// an epoll set that asks for nothing but hang-up, so that traffic on them wakes nobody; and when
/// many end, the loop wakes for some at a time. One loop's.
class HangupWatch {
public:
  /// An end that follows another one is noticed this much later at most.
  static constexpr std::chrono::milliseconds kRest{10};

  /// `owner` is told of each end.
  HangupWatch(Loop& loop, ConnectionOwner& owner);
  ~HangupWatch();
  HangupWatch(const HangupWatch&) = delete;
  HangupWatch& operator=(const HangupWatch&) = delete;

  /// Watches connection `id` behind `socket`; `slot` and `place` are given back when it ends.
  /// False, and nothing is taken, when no descriptor is left.
  [[nodiscard]] bool add(std::uint64_t id, int socket, ClientLimit::Slot& slot, PluginPlace& place);

  /// Watches connection `id` no more, and counts nothing: it ends elsewhere. False when it was not
  /// watched.
  bool forget(std::uint64_t id);

  [[nodiscard]] std::size_t open() const noexcept { return watched_.size(); }

  /// Cuts every watched connection.
  void shutdown_all();

  /// Cuts those of one plugin.
  void shutdown_those_of(const InstanceServices& plugin);

private:
  using Descriptor = boost::asio::posix::basic_stream_descriptor<Loop::Executor>;
  using Timer = boost::asio::
      basic_waitable_timer<Loop::Clock, boost::asio::wait_traits<Loop::Clock>, Loop::Executor>;

  void wait();
  void rest();
  /// Whether any had ended.
  bool collect();

  ConnectionOwner& owner_;
  const int set_;
  Descriptor reactor_; ///< holds the set while it is waited for: what it tells wakes the loop then
  Timer rest_;
  bool watching_ = false; ///< waits, or rests

  struct Held {
    int duplicate;
    ClientLimit::Slot slot;
    PluginPlace place;
  };

  std::unordered_map<std::uint64_t, Held> watched_; // by id
};

} // namespace switchyard::host
