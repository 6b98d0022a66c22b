#pragma once

#include <plugins/grpc/config.hpp>

#include <cstddef>
#include <memory>
#include <span>

namespace switchyard::grpc {

struct CallEnvironment;

/// Which of gRPC's servers: they differ in what can be called and in what a client may ask.
struct ServerRole {
  bool external;
  bool direct; ///< gRPC has the clients' sockets themselves
};

/// One server of gRPC's: connections in, calls out to the services that are registered.
class Server {
public:
  /// `environment` outlives the server. Throws Failure when gRPC makes no server. [control]
  Server(ServerRole role, const Config& config, const CallEnvironment& environment);
  ~Server();
  Server(const Server&) = delete;
  Server& operator=(const Server&) = delete;

  /// Takes a connected, non-blocking socket, from which `read_ahead` has been read. Closes it at
  /// once after shutdown(). Any thread.
  void serve(int descriptor, std::span<const std::byte> read_ahead = {});

  /// Cancels the calls in progress, ends all connections, and returns when services have finished
  /// every call. Once.
  void shutdown();

private:
  struct Library;

  std::unique_ptr<Library> library_;
};

/// Starts gRPC for the rest of the life of the process. Ending it would take up to 10 s when it has
/// lately waited for a socket (its backup poller), and leaves nothing out of memory that is not
/// pinned there. [control]
void start_library() noexcept;

} // namespace switchyard::grpc
