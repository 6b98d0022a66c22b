#pragma once

#include <plugins/grpc/completion_queue.hpp>
#include <plugins/grpc/config.hpp>
#include <plugins/grpc/incoming.hpp>
#include <plugins/grpc/pending.hpp>

#include <memory>
#include <mutex>
#include <vector>

namespace switchyard::grpc {

struct CallEnvironment;

/// Which of gRPC's servers: they differ in what can be called and in what a client may ask.
struct ServerRole {
  bool external;
  bool direct; ///< gRPC has the clients' sockets themselves
};

/// One server of gRPC's core: connections in, calls out to the services that are registered.
class Server {
public:
  /// `environment` and `queue` outlive the server. Throws Failure when gRPC makes no server.
  /// [control]
  Server(
      ServerRole role,
      const Config& config,
      const CallEnvironment& environment,
      const CompletionQueue& queue);
  ~Server();
  Server(const Server&) = delete;
  Server& operator=(const Server&) = delete;

  /// Takes a connected, non-blocking socket. Closes it at once after shutdown(). Any thread.
  void serve(int descriptor);

  /// Cancels the calls in progress, ends all connections, and returns when services have finished
  /// every call. Does nothing the second time.
  void shutdown();

private:
  /// Waits for a call, again and again.
  struct Waiting {
    explicit Waiting(Server& owner) noexcept : server{owner} {}

    Server& server;
    Incoming incoming;
    Completion arrived{&Server::arrived, this};
  };

  /// A socket on its way to gRPC.
  struct Connecting {
    Connecting(Server& owner, int socket) noexcept : server{owner}, descriptor{socket} {}

    Server& server;
    const int descriptor;
    Completion posted{&Server::connect, this};
  };

  static void arrived(void* waiting, bool ok);
  static void connect(void* connecting, bool ok);
  static void shut_down(void* self, bool ok);
  [[nodiscard]] bool wait(Waiting& waiting);
  void begin(Incoming incoming);

  const CallEnvironment& environment_;
  const CompletionQueue& queue_;
  const bool external_;
  grpc_server_credentials* const clear_;
  grpc_server* const server_;
  std::vector<std::unique_ptr<Waiting>> waiting_;
  Completion shut_down_{&Server::shut_down, this};

  /// Calls, those who wait for one, sockets on their way to gRPC, and the shutdown.
  Pending pending_;
  std::mutex mutex_; ///< of this
  bool shutting_down_ = false;
};

/// Starts gRPC for the rest of the life of the process. Ending it would take up to 10 s when it has
/// lately waited for a socket (its backup poller), and leaves nothing out of memory that is not
/// pinned there. [control]
void start_library() noexcept;

} // namespace switchyard::grpc
