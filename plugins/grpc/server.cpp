#include <switchyard/failure.hpp>

#include <plugins/grpc/call.hpp>
#include <plugins/grpc/refusal.hpp>
#include <plugins/grpc/server.hpp>

#include <boost/assert.hpp>
#include <grpc/grpc_posix.h>
#include <grpc/grpc_security.h>

#include <array>
#include <chrono>
#include <string>
#include <unistd.h>
#include <utility>

namespace switchyard::grpc {
namespace {

// Calls that can come before the queue's threads ask for more; others wait in gRPC, at the price of
// a search.
constexpr std::size_t kWaiting = 32;

int milliseconds(std::chrono::nanoseconds duration) {
  return static_cast<int>(std::chrono::ceil<std::chrono::milliseconds>(duration).count());
}

std::vector<grpc_arg> arguments_of(ServerRole role, const Config& config) {
  const auto& limits = role.external ? config.external : config.internal;
  std::vector<grpc_arg> arguments;
  const auto set = [&arguments](const char* key, int value) {
    grpc_arg argument{};
    argument.type = GRPC_ARG_INTEGER;
    argument.key = const_cast<char*>(key); // gRPC copies it
    argument.value.integer = value;
    arguments.push_back(argument);
  };
  set(GRPC_ARG_MAX_RECEIVE_MESSAGE_LENGTH, static_cast<int>(limits.max_receive_bytes));
  set(GRPC_ARG_MAX_SEND_MESSAGE_LENGTH, -1);
  set(GRPC_ARG_MAX_CONCURRENT_STREAMS, static_cast<int>(limits.max_streams));
  set(GRPC_ARG_KEEPALIVE_TIME_MS, milliseconds(config.keepalive_interval));
  set(GRPC_ARG_KEEPALIVE_TIMEOUT_MS, milliseconds(config.keepalive_timeout));
  // Also pings on connections without a call, in both directions, and any number of ours.
  set(GRPC_ARG_KEEPALIVE_PERMIT_WITHOUT_CALLS, 1);
  set(GRPC_ARG_HTTP2_MAX_PINGS_WITHOUT_DATA, 0);
  set(GRPC_ARG_HTTP2_MIN_RECV_PING_INTERVAL_WITHOUT_DATA_MS,
      milliseconds(config.min_ping_interval));
  set(GRPC_ARG_ENABLE_CHANNELZ, 0);
  if (role.direct) set(GRPC_ARG_MAX_CONNECTION_AGE_MS, milliseconds(config.max_connection_age));
  return arguments;
}

grpc_server* create(ServerRole role, const Config& config) {
  auto arguments = arguments_of(role, config);
  const grpc_channel_args all{arguments.size(), arguments.data()};
  auto* const server = grpc_server_create(&all, nullptr);
  if (server == nullptr) throw Failure{SY_INTERNAL, "gRPC does not start a server"};
  return server;
}

} // namespace

Server::Server(
    ServerRole role,
    const Config& config,
    const CallEnvironment& environment,
    const CompletionQueue& queue)
    : environment_{environment},
      queue_{queue},
      external_{role.external},
      clear_{grpc_insecure_server_credentials_create()},
      server_{create(role, config)} {
  grpc_server_register_completion_queue(server_, queue_.get(), nullptr);
  grpc_server_start(server_);
  for (std::size_t count = 0; count < kWaiting; ++count) {
    auto& waiting = *waiting_.emplace_back(std::make_unique<Waiting>(*this));
    pending_.begin();
    if (!wait(waiting)) pending_.end();
  }
}

Server::~Server() {
  shutdown();
  grpc_server_destroy(server_);
  grpc_server_credentials_release(clear_);
}

bool Server::wait(Waiting& waiting) {
  return waiting.incoming.ask(server_, queue_.get(), waiting.arrived.tag());
}

void Server::arrived(void* context, bool ok) {
  auto& waiting = *static_cast<Waiting*>(context);
  auto& server = waiting.server;
  if (!ok) return server.pending_.end();
  server.begin(std::exchange(waiting.incoming, Incoming{}));
  if (!server.wait(waiting)) server.pending_.end();
}

void Server::begin(Incoming incoming) {
  MethodUse method;
  const auto where = external_ ? SY_GRPC_ON_EXTERNAL : SY_GRPC_ON_INTERNAL;
  const auto missing = environment_.services.find(incoming.method(), where, method);
  if (missing.empty()) {
    Call::start(environment_, pending_, std::move(incoming), external_, std::move(method));
  } else {
    environment_.metrics.call_missed();
    Refusal::start(pending_, std::move(incoming), missing);
  }
}

// On a thread of gRPC's, so that what gRPC keeps of a connection is not spread over the heaps that
// the C library has for each thread: 2.5 KiB a connection.
void Server::serve(int descriptor) {
  auto connecting = std::make_unique<Connecting>(*this, descriptor);
  {
    const std::lock_guard lock{mutex_};
    if (shutting_down_) {
      ::close(descriptor);
      return;
    }
    pending_.begin();
  }
  queue_.post(connecting.release()->posted);
}

void Server::connect(void* context, bool) {
  const std::unique_ptr<Connecting> connecting{static_cast<Connecting*>(context)};
  auto& server = connecting->server;
  grpc_server_add_channel_from_fd(server.server_, connecting->descriptor, server.clear_);
  server.pending_.end();
}

void Server::shutdown() {
  {
    const std::lock_guard lock{mutex_};
    if (std::exchange(shutting_down_, true)) return;
    pending_.begin();
  }
  grpc_server_shutdown_and_notify(server_, queue_.get(), shut_down_.tag());
  grpc_server_cancel_all_calls(server_);
  pending_.wait();
}

void Server::shut_down(void* self, bool) {
  static_cast<Server*>(self)->pending_.end();
}

void start_library() noexcept {
  ::grpc_init();
}

} // namespace switchyard::grpc
