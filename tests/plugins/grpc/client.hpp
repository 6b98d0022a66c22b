#pragma once

#include <grpcpp/channel.h>
#include <grpcpp/client_context.h>
#include <grpcpp/support/byte_buffer.h>
#include <grpcpp/support/sync_stream.h>
#include <tests/peer/socket_pair.hpp>

#include <future>
#include <map>
#include <memory>
#include <optional>
#include <string>

namespace switchyard::grpc::test {

/// What a client has of a call that has ended.
struct Outcome {
  ::grpc::Status status;
  std::string message;
  std::multimap<std::string, std::string> metadata;
  std::multimap<std::string, std::string> trailers;
};

/// gRPC's own client on one connection.
class Client {
public:
  explicit Client(peer::Socket socket);

  using Context = ::grpc::ClientContext;
  using Stream = ::grpc::ClientReaderWriter<::grpc::ByteBuffer, ::grpc::ByteBuffer>;

  /// A call with one request and one answer.
  [[nodiscard]] Outcome call(Context& context, const std::string& method, std::string_view message);

  [[nodiscard]] Outcome call(const std::string& method, std::string_view message) {
    Context context;
    return call(context, method, message);
  }

  /// The same while the test goes on.
  [[nodiscard]] std::future<Outcome> begin(const std::string& method, std::string_view message);

  [[nodiscard]] std::unique_ptr<Stream> open(Context& context, const std::string& method);

private:
  std::shared_ptr<::grpc::Channel> channel_;
};

[[nodiscard]] bool write(Client::Stream& stream, std::string_view message);

/// Nothing when the server has sent its last message.
[[nodiscard]] std::optional<std::string> read(Client::Stream& stream);

} // namespace switchyard::grpc::test
