// Takes the place of plugins/grpc/status_service.cpp.
#include <switchyard/bytes.hpp>
#include <switchyard/status/v1/status.pb.h>

#include <plugins/grpc/status_service.hpp>

#include <string>
#include <switchyard_status_v1_status.descriptors.h>

namespace switchyard::grpc {
namespace {

void ping(void* version, sy_grpc_call* call, sy_bytes) {
  status::v1::PingResponse response;
  response.set_version(static_cast<const char*>(version));
  auto& part = *response.add_parts();
  part.set_name("schema");
  part.set_revision(2);
  const auto reply = response.SerializeAsString();
  sy_grpc_status answer{};
  answer.struct_size = sizeof answer;
  call->api->finish(call, &answer, {reply.data(), reply.size()}, {});
}

constexpr std::string_view kPing = "Ping";
constexpr sy_grpc_method kPingMethod{
    .struct_size = sizeof(sy_grpc_method),
    .kind = SY_GRPC_UNARY,
    .name = {kPing.data(), kPing.size()},
    .context = nullptr,
    .call = &ping};
constexpr const sy_grpc_method* kMethods[] = {&kPingMethod};

} // namespace

sy_grpc_service status_service(const char* version) noexcept {
  return {
      .struct_size = sizeof(sy_grpc_service),
      .flags = SY_GRPC_ON_INTERNAL | SY_GRPC_ON_EXTERNAL,
      .context = const_cast<char*>(version),
      .methods = kMethods,
      .method_count = std::size(kMethods),
      .descriptor_set =
          {switchyard_status_v1_status_descriptors, sizeof switchyard_status_v1_status_descriptors},
      .cancel = nullptr,
      .ended = nullptr};
}

} // namespace switchyard::grpc
