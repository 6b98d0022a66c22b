#include "client.hpp"

#include <grpcpp/create_channel_posix.h>
#include <grpcpp/impl/codegen/client_unary_call.h>
#include <grpcpp/support/channel_arguments.h>

#include <fcntl.h>

namespace switchyard::grpc::test {
namespace {

using ::grpc::ByteBuffer;

ByteBuffer buffer(std::string_view message) {
  const ::grpc::Slice slice{message.data(), message.size()};
  return {&slice, 1};
}

std::string text(const ByteBuffer& message) {
  ::grpc::Slice slice;
  if (!message.Valid() || !message.DumpToSingleSlice(&slice).ok()) return {};
  return {reinterpret_cast<const char*>(slice.begin()), slice.size()};
}

std::multimap<std::string, std::string>
copy(const std::multimap<::grpc::string_ref, ::grpc::string_ref>& metadata) {
  std::multimap<std::string, std::string> copied;
  for (const auto& [key, value] : metadata)
    copied.emplace(std::string{key.data(), key.size()}, std::string{value.data(), value.size()});
  return copied;
}

} // namespace

Client::Client(peer::Socket socket) {
  const auto descriptor = socket.release();
  ::fcntl(descriptor, F_SETFL, ::fcntl(descriptor, F_GETFL) | O_NONBLOCK);
  ::grpc::ChannelArguments arguments;
  arguments.SetMaxReceiveMessageSize(-1);
  channel_ = ::grpc::CreateCustomInsecureChannelFromFd("test", descriptor, arguments);
}

Outcome Client::call(Context& context, const std::string& method, std::string_view message) {
  const ::grpc::internal::RpcMethod rpc{
      method.c_str(), ::grpc::internal::RpcMethod::NORMAL_RPC, channel_};
  ByteBuffer answer;
  Outcome outcome;
  outcome.status = ::grpc::internal::BlockingUnaryCall<ByteBuffer, ByteBuffer>(
      channel_.get(), rpc, &context, buffer(message), &answer);
  outcome.message = text(answer);
  outcome.metadata = copy(context.GetServerInitialMetadata());
  outcome.trailers = copy(context.GetServerTrailingMetadata());
  return outcome;
}

std::future<Outcome> Client::begin(const std::string& method, std::string_view message) {
  return std::async(std::launch::async, [this, method, message = std::string{message}] {
    return call(method, message);
  });
}

std::unique_ptr<Client::Stream> Client::open(Context& context, const std::string& method) {
  // gRPC keeps the address of the name.
  const ::grpc::internal::RpcMethod rpc{
      method.c_str(), ::grpc::internal::RpcMethod::BIDI_STREAMING, channel_};
  return std::unique_ptr<Stream>{
      ::grpc::internal::ClientReaderWriterFactory<ByteBuffer, ByteBuffer>::Create(
          channel_.get(), rpc, &context)};
}

bool write(Client::Stream& stream, std::string_view message) {
  return stream.Write(buffer(message));
}

std::optional<std::string> read(Client::Stream& stream) {
  ByteBuffer message;
  if (!stream.Read(&message)) return std::nullopt;
  return text(message);
}

} // namespace switchyard::grpc::test
