#pragma once

#include <switchyard/grpc/client.h>
#include <switchyard/host.hpp>

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <random>

namespace switchyard::grpc {

class ClientChannel;

/// The channels that other plugins have opened: switchyard.grpc.client/1. Any thread.
class Client {
public:
  /// Who is told once a drain is complete.
  class Owner {
  public:
    /// No channel is left. Any thread.
    virtual void client_is_quiet() = 0;

  protected:
    ~Owner() = default;
  };

  Client(const Host& host, const sy_loops& loops, Owner& owner);
  ~Client();
  Client(const Client&) = delete;
  Client& operator=(const Client&) = delete;

  // As the functions of sy_grpc_client; open() throws Failure.
  [[nodiscard]] sy_grpc_channel* open(const sy_grpc_channel_options& options);
  void close(sy_grpc_channel* channel);
  [[nodiscard]] sy_status call(
      sy_grpc_channel* channel,
      const sy_grpc_request& request,
      const sy_grpc_events& events,
      void* context,
      sy_grpc_stream** stream);
  [[nodiscard]] sy_status unary(
      sy_grpc_channel* channel,
      const sy_grpc_request& request,
      sy_grpc_answered answered,
      void* context);

  /// Opens no channel and begins no call from now on; each channel goes after its last call.
  void drain();

  /// Cancels all calls; drains too.
  void abort();

private:
  struct Shared;

  const std::unique_ptr<Shared> shared_;
};

} // namespace switchyard::grpc
