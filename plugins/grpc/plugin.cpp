#include <switchyard/registrar.hpp>

#include <plugins/grpc/instance.hpp>

#include <switchyard_manifest.h>

namespace switchyard::grpc {
namespace {

constexpr sy_grpc_services kServices = {
    .registrar = Registrar<Instance>::describe(sizeof(sy_grpc_services))};

Client& client(void* provider) {
  return Plugin<Instance>::of(provider).client();
}

sy_status open(
    void* provider,
    const sy_grpc_channel_options* options,
    sy_grpc_channel** channel,
    sy_error* error) {
  return at_boundary(error, [&] { *channel = client(provider).open(*options); });
}

void close(void* provider, sy_grpc_channel* channel) {
  logged_at_boundary(Plugin<Instance>::host_of(provider), [&] { client(provider).close(channel); });
}

sy_status call(
    void* provider,
    sy_grpc_channel* channel,
    const sy_grpc_request* request,
    const sy_grpc_events* events,
    void* context,
    sy_grpc_stream** stream) {
  if (!SY_HAS(request, sy_grpc_request, timeout) || !SY_HAS(events, sy_grpc_events, ended)) {
    return SY_INVALID;
  }
  return at_boundary(
      [&] { return client(provider).call(channel, *request, *events, context, stream); });
}

sy_status unary(
    void* provider,
    sy_grpc_channel* channel,
    const sy_grpc_request* request,
    sy_grpc_answered answered,
    void* context) {
  if (!SY_HAS(request, sy_grpc_request, timeout) || request->kind != SY_GRPC_UNARY) {
    return SY_INVALID;
  }
  return at_boundary([&] { return client(provider).unary(channel, *request, answered, context); });
}

constexpr sy_grpc_client kClient = {
    .struct_size = sizeof(sy_grpc_client),
    .reserved = 0,
    .open = open,
    .close = close,
    .call = call,
    .unary = unary};

} // namespace

const void* Instance::query(std::string_view id) {
  if (id == SY_GRPC_SERVICES) return &kServices;
  if (id == SY_GRPC_CLIENT) return &kClient;
  return nullptr;
}

} // namespace switchyard::grpc

SY_CPP_PLUGIN(switchyard::grpc::Instance);
