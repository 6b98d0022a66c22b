#pragma once

#include <switchyard/pump.h>

#include <host/connection/connection.hpp>
#include <host/connection/owner.hpp>
#include <host/isolate/channel.hpp>
#include <host/isolate/message.hpp>

#include <boost/asio/basic_waitable_timer.hpp>
#include <boost/asio/posix/basic_stream_descriptor.hpp>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <unordered_map>

namespace switchyard::host {

struct InstanceServices;

/// The way of one loop's connections to the process of an isolated plugin, and what the host keeps
/// of them meanwhile: their place under the limits, or, of one under TLS, all but the clear bytes.
/// While there is no process they wait. On its loop.
class Lane : public std::enable_shared_from_this<Lane> {
public:
  /// How many wait at most.
  static constexpr std::size_t kWaitingMax = 1'024;

  /// `services`, of the instance, and `owner` outlive it. A connection waits for `patience` at
  /// most. `fault` is told of what the process sends that it must not.
  Lane(
      ConnectionOwner& owner,
      InstanceServices& services,
      std::chrono::milliseconds patience,
      std::function<void()> fault);

  /// A process is there, at the other end of `channel`: those that wait go first.
  void open(Channel channel);

  /// The process has gone, and what it had with it: closed as "internal".
  void cut() { cut(CloseReason::Internal); }

  /// Takes a connection of the `protocol`-th protocol in the manifest, as sy_plugin.serve.
  [[nodiscard]] sy_status take(std::uint32_t protocol, Connection& connection);

  /// Closes those that wait: no process comes for them.
  void close_waiting();

  /// Ends what is left, for good.
  void close();

private:
  using Descriptor = boost::asio::posix::basic_stream_descriptor<Loop::Executor>;
  using Timer = boost::asio::
      basic_waitable_timer<Loop::Clock, boost::asio::wait_traits<Loop::Clock>, Loop::Executor>;

  struct Waiting {
    Connection* connection;
    Passed passed;
    Loop::Clock::time_point until;
    FileDescriptor inner{}; ///< under TLS, once it was sent: our end of its socket pair
  };

  /// A connection under TLS, between its wire and the process.
  struct Carried {
    Lane& lane;
    std::uint64_t id;
    sy_pump* pump;
  };

  [[nodiscard]] Channel::Sent send(Waiting& waiting) const;
  void send_waiting();
  void taken(Waiting sent);
  void carry(Waiting sent);
  void ended(const PassedEnded& ended);
  void refuse(Connection& connection);
  void expire();
  void listen();
  [[nodiscard]] Channel::Heard hear();
  void cut(CloseReason reason);

  ConnectionOwner& owner_;
  InstanceServices& services_;
  const std::chrono::milliseconds patience_;
  const std::function<void()> fault_;
  std::optional<Channel> channel_;       ///< none: no process
  std::unique_ptr<Descriptor> readable_; ///< the same socket, for the reactor
  std::uint64_t opened_ = 0;             ///< counts the processes
  bool pushing_ = false;                 ///< a wait until it takes more is under way
  std::deque<Waiting> waiting_;
  std::deque<Waiting> sent_; ///< and not taken yet: were the process to end now, they would wait
  Timer patience_over_;
  std::unordered_map<std::uint64_t, Connection::Holdings> passed_; ///< by id
  std::unordered_map<std::uint64_t, std::unique_ptr<Carried>> carried_;
};

} // namespace switchyard::host
