#pragma once

#include <switchyard/plugin.h>

#include <host/isolate/channel.hpp>
#include <host/plugin/manifest.hpp>
#include <host/serve/stages.hpp>
#include <host/services/instance_services.hpp>

#include <boost/asio/posix/basic_stream_descriptor.hpp>

#include <deque>
#include <optional>
#include <set>
#include <string>

namespace switchyard::host {

/// The plugin that a process runs, as its loops call it.
struct ServedCode {
  const sy_plugin& api;
  sy_instance* instance;
  const Manifest& manifest;
  InstanceServices& services;
};

/// The other end of a Lane: gives the plugin what the host has passed, and tells the host of each
/// end. In the process of the plugin, on the loop.
class ChildLane {
public:
  /// `loop` outlives it. The first thing on the loop.
  ChildLane(LoopStages& loop, FileDescriptor channel);

  /// Begins to take connections for `code`, which outlives the loop.
  void serve(const ServedCode& code);

  /// Takes everything that is there now.
  void take_all();

private:
  using Descriptor = boost::asio::posix::basic_stream_descriptor<Loop::Executor>;

  /// The host has not been told yet that it has arrived.
  struct Untaken {
    Passed passed;
    FileDescriptor socket;
  };

  void wait();
  void take(const Passed& passed, FileDescriptor socket);
  [[nodiscard]] sy_status hand_over(const Passed& passed, Connection& connection);
  void tell(const Message& message);
  void push();

  LoopStages& loop_;
  Channel channel_;
  Descriptor readable_; ///< the same socket, for the reactor
  bool waiting_ = false;
  const ServedCode* code_ = nullptr;
  std::optional<Untaken> untaken_;
  std::deque<Message> untold_;                   ///< the host does not read, now
  std::set<std::string, std::less<>> listeners_; ///< names that connections refer to
};

} // namespace switchyard::host
