#pragma once

#include <host/connection/close_reason.hpp>
#include <host/connection/plugin_place.hpp>
#include <host/limit/client_limit.hpp>
#include <host/loop/loop.hpp>
#include <host/loop/memory_trim.hpp>

#include <boost/asio/posix/basic_stream_descriptor.hpp>

#include <cstddef>
#include <cstdint>
#include <unordered_map>

namespace switchyard::host {

/// Knows when connections that a plugin serves as descriptors end. It keeps a duplicate of each, in
/// an epoll set that asks for nothing but hang-up, so that traffic on them wakes nobody. One
/// loop's.
class HangupWatch {
public:
  HangupWatch(Loop& loop, ConnectionCounters& counters, MemoryTrim& memory);

  /// Watches connection `id` behind `socket`; `slot` and `place` are given back when it ends.
  /// False, and nothing is taken, when no descriptor is left.
  [[nodiscard]] bool add(std::uint64_t id, int socket, ClientLimit::Slot& slot, PluginPlace& place);

  /// Watches connection `id` no more, and counts nothing: it ends elsewhere. False when it was not
  /// watched.
  bool forget(std::uint64_t id);

  [[nodiscard]] std::size_t open() const noexcept { return watched_.size(); }

  /// Cuts every watched connection.
  void shutdown_all();

private:
  using Descriptor = boost::asio::posix::basic_stream_descriptor<Loop::Executor>;

  void wait();
  void collect();

  ConnectionCounters& counters_;
  MemoryTrim& memory_;
  Descriptor set_;

  bool waiting_ = false;

  struct Held {
    int duplicate;
    ClientLimit::Slot slot;
    PluginPlace place;
  };

  std::unordered_map<std::uint64_t, Held> watched_; // by id
};

} // namespace switchyard::host
