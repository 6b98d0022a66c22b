#include <switchyard/failure.hpp>

#include <plugins/grpc/call.hpp>
#include <plugins/grpc/server.hpp>

#include <grpc/grpc.h>
#include <grpcpp/security/server_credentials.h>
#include <grpcpp/server.h>
#include <grpcpp/server_builder.h>

namespace switchyard::grpc {
namespace {

using Acceptor = ::grpc::experimental::ExternalConnectionAcceptor;
using ConnectionType = ::grpc::ServerBuilder::experimental_type::ExternalConnectionType;

/// Answers a call that no service takes.
class Refusal final : public ::grpc::ServerGenericBidiReactor {
public:
  explicit Refusal(::grpc::Status status) { Finish(std::move(status)); }

private:
  void OnDone() override { delete this; }
};

/// Where every call comes in. gRPC's threads.
class Services final : public ::grpc::CallbackGenericService {
public:
  Services(const CallEnvironment& environment, bool external)
      : environment_{environment}, external_{external} {}

private:
  ::grpc::ServerGenericBidiReactor*
  CreateReactor(::grpc::GenericCallbackServerContext* context) override {
    MethodUse method;
    const auto where = external_ ? SY_GRPC_ON_EXTERNAL : SY_GRPC_ON_INTERNAL;
    auto missing = environment_.services.find(context->method(), where, method);
    if (missing.empty()) return new Call{environment_, *context, external_, std::move(method)};

    environment_.metrics.call_missed();
    return new Refusal{{::grpc::StatusCode::UNIMPLEMENTED, std::move(missing)}};
  }

  const CallEnvironment& environment_;
  const bool external_;
};

int milliseconds(std::chrono::nanoseconds duration) {
  return static_cast<int>(std::chrono::ceil<std::chrono::milliseconds>(duration).count());
}

void configure(::grpc::ServerBuilder& builder, ServerRole role, const Config& config) {
  const auto& limits = role.external ? config.external : config.internal;
  builder.SetMaxReceiveMessageSize(static_cast<int>(limits.max_receive_bytes));
  builder.SetMaxSendMessageSize(-1);
  const auto set = [&builder](const char* argument, int value) {
    builder.AddChannelArgument(argument, value);
  };
  set(GRPC_ARG_MAX_CONCURRENT_STREAMS, static_cast<int>(limits.max_streams));
  set(GRPC_ARG_SERVER_HANDSHAKE_TIMEOUT_MS, milliseconds(config.handshake_timeout));
  set(GRPC_ARG_KEEPALIVE_TIME_MS, milliseconds(config.keepalive_interval));
  set(GRPC_ARG_KEEPALIVE_TIMEOUT_MS, milliseconds(config.keepalive_timeout));
  // Also pings on connections without a call, in both directions, and any number of ours.
  set(GRPC_ARG_KEEPALIVE_PERMIT_WITHOUT_CALLS, 1);
  set(GRPC_ARG_HTTP2_MAX_PINGS_WITHOUT_DATA, 0);
  set(GRPC_ARG_HTTP2_MIN_RECV_PING_INTERVAL_WITHOUT_DATA_MS,
      milliseconds(config.min_ping_interval));
  set(GRPC_ARG_ENABLE_CHANNELZ, 0);
  if (role.direct) set(GRPC_ARG_MAX_CONNECTION_AGE_MS, milliseconds(config.max_connection_age));
}

} // namespace

struct Server::Library {
  Library(const CallEnvironment& environment, bool external) : services{environment, external} {}

  Services services;
  std::unique_ptr<Acceptor> acceptor;
  std::unique_ptr<::grpc::Server> server;
};

Server::Server(ServerRole role, const Config& config, const CallEnvironment& environment)
    : library_{std::make_unique<Library>(environment, role.external)} {
  ::grpc::ServerBuilder builder;
  configure(builder, role, config);
  builder.RegisterCallbackGenericService(&library_->services);
  library_->acceptor = builder.experimental().AddExternalConnectionAcceptor(
      ConnectionType::FROM_FD, ::grpc::InsecureServerCredentials());
  library_->server = builder.BuildAndStart();
  if (!library_->server) throw Failure{SY_INTERNAL, "gRPC does not start a server"};
}

Server::~Server() = default;

void Server::serve(int descriptor, std::span<const std::byte> read_ahead) {
  Acceptor::NewConnectionParameters connection;
  connection.fd = descriptor;
  if (!read_ahead.empty()) {
    const ::grpc::Slice slice{read_ahead.data(), read_ahead.size()};
    connection.read_buffer = {&slice, 1};
  }
  library_->acceptor->HandleNewConnection(&connection);
}

void Server::shutdown() {
  library_->server->Shutdown(std::chrono::system_clock::now());
}

void start_library() noexcept {
  ::grpc_init();
}

} // namespace switchyard::grpc
