#pragma once

#include <plugins/netrpc/invocation.hpp>

#include <memory>
#include <vector>

namespace switchyard::netrpc {

class Loop;

/// The sessions that one loop has with other servers: one for each destination that is in use.
/// [loop]
class ClientPool {
public:
  /// `dial` is null for a host that does not dial.
  ClientPool(const sy_host* host, const sy_dial* dial, Loop& loop) noexcept
      : host_{host}, dial_{dial}, loop_{loop} {}

  ~ClientPool();
  ClientPool(const ClientPool&) = delete;
  ClientPool& operator=(const ClientPool&) = delete;

  /// Finds the call a stream, or ends it.
  void submit(sy_netrpc_invocation& invocation);

  /// `session` takes no further calls.
  void retire(const ClientSession& session) noexcept;

  /// Ends the calls that wait for a connection. Their dials are awaited.
  void abort();

  /// Any thread.
  [[nodiscard]] Loop& loop() const noexcept { return loop_; }

private:
  using Waiting =
      boost::intrusive::list<sy_netrpc_invocation, boost::intrusive::constant_time_size<false>>;

  /// A server, while there is a session with it or one is being made.
  struct Server {
    ClientPool& pool;
    const Destination destination;
    ClientSession* session = nullptr; ///< null while it is dialled
    Waiting waiting;                  ///< for the dial
  };

  void dial(Server& server);
  static void
  dialled(void* server, sy_status status, sy_connection* connection, const sy_error* error);
  void forget(const Server& server) noexcept;

  const sy_host* host_;
  const sy_dial* dial_;
  Loop& loop_;
  std::vector<std::unique_ptr<Server>> servers_;
};

} // namespace switchyard::netrpc
