// The service of echo.proto as a plugin; links protobuf-lite and no gRPC.
#include "echo.pb.h"

#include <switchyard/grpc/services.hpp>
#include <switchyard/plugin.hpp>

#include <atomic>
#include <echo.descriptors.h>
#include <switchyard_manifest.h>

namespace {

using namespace switchyard;
using namespace switchyard::test::v1;

EchoReply echo(const EchoRequest& request) {
  EchoReply reply;
  reply.set_payload(request.payload());
  return reply;
}

GrpcResult<EchoReply> mirror(GrpcCall& call, const EchoRequest& request) {
  const auto info = call.describe();
  GrpcMetadata sent_back;
  for (std::size_t at = 0; at < info.metadata.count; ++at) {
    const auto& [key, value] = info.metadata.entries[at];
    if (view(key).starts_with("x-"))
      sent_back.emplace_back(
          view(key), std::string{static_cast<const char*>(value.data), value.size});
  }
  static_cast<void>(call.send_metadata(sent_back));
  call.trailers() = std::move(sent_back);
  call.trailers().emplace_back("seen-external", info.external != 0 ? "yes" : "no");
  call.trailers().emplace_back("seen-tls", info.tls != 0 ? "yes" : "no");
  call.trailers().emplace_back("seen-deadline", info.deadline != UINT64_MAX ? "yes" : "no");
  call.trailers().emplace_back("seen-method", view(info.method));
  call.trailers().emplace_back("seen-remote", view(info.remote));
  if (request.code() != 0)
    return GrpcStatus{
        static_cast<sy_grpc_code>(request.code()), request.message(), request.details()};
  return echo(request);
}

Task<GrpcStatus> repeat(GrpcCall& call, EchoRequest request) {
  const auto reply = echo(request);
  for (std::uint32_t sent = 0; sent < request.count(); ++sent) {
    if (co_await call.send(reply)) break;
  }
  co_return GrpcStatus{};
}

Task<GrpcResult<EchoReply>> collect(GrpcCall& call) {
  EchoReply reply;
  for (;;) {
    auto received = co_await call.receive<EchoRequest>();
    if (!received) co_return reply;
    reply.mutable_payload()->append(received->payload());
  }
}

class Echo {
public:
  Echo(Host host, std::string_view)
      : service_{
            host,
            "switchyard.test.v1.Echo",
            SY_GRPC_ON_INTERNAL | SY_GRPC_ON_EXTERNAL,
            methods(),
            std::as_bytes(std::span{echo_descriptors})} {}

private:
  GrpcMethods methods() {
    GrpcMethods methods;
    methods
        .unary<EchoRequest, EchoReply>(
            "Unary",
            [](GrpcCall&, const EchoRequest& request) -> GrpcResult<EchoReply> {
              return echo(request);
            })
        .unary<EchoRequest, EchoReply>("Mirror", &mirror)
        .server_streaming<EchoRequest>("Repeat", &repeat)
        .client_streaming<EchoReply>("Collect", &collect)
        .bidirectional("Chat", [this](GrpcCall& call) { return chat(call); })
        .unary<EchoRequest, ChatCounts>(
            "Chats", [this](GrpcCall&, const EchoRequest&) -> GrpcResult<ChatCounts> {
              ChatCounts counts;
              counts.set_open(open_);
              return counts;
            });
    return methods;
  }

  Task<GrpcStatus> chat(GrpcCall& call) {
    ++open_;
    std::error_code error;
    while (!error) {
      auto received = co_await call.receive<EchoRequest>();
      if (!received) {
        error = received.error();
      } else {
        error = co_await call.send(echo(*received));
      }
    }
    --open_;
    co_return GrpcStatus{};
  }

  std::atomic<std::uint64_t> open_ = 0;
  GrpcService service_; // last: its calls use the other
};

} // namespace

SY_CPP_PLUGIN(Echo);
