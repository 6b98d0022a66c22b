#include "service.hpp"

namespace switchyard::grpc::test {
namespace {

constexpr std::string_view kNames[] = {"Unary", "ClientStream", "ServerStream", "Bidi"};
constexpr sy_grpc_kind kKinds[] = {
    SY_GRPC_UNARY, SY_GRPC_CLIENT_STREAMING, SY_GRPC_SERVER_STREAMING, SY_GRPC_BIDIRECTIONAL};

std::string copy(sy_bytes message) {
  return {static_cast<const char*>(message.data), message.size};
}

} // namespace

void Operation::received(void* self, sy_status status, sy_bytes message) {
  auto& operation = *static_cast<Operation*>(self);
  const std::lock_guard lock{operation.mutex_};
  operation.ends_.push_back({status, copy(message)});
  operation.changed_.notify_all();
}

Operation::End Operation::wait() {
  std::unique_lock lock{mutex_};
  changed_.wait(lock, [&] { return !ends_.empty(); });
  auto end = std::move(ends_.front());
  ends_.pop_front();
  return end;
}

bool Operation::ended() {
  const std::lock_guard lock{mutex_};
  return !ends_.empty();
}

Service::Service() {
  for (std::size_t at = 0; at < std::size(kNames); ++at) {
    methods_[at] = {
        .struct_size = sizeof(sy_grpc_method),
        .kind = kKinds[at],
        .name = text(kNames[at]),
        .context = nullptr,
        .call = [](void* context, sy_grpc_call* call, sy_bytes message) {
          auto& self = *static_cast<Service*>(context);
          const std::lock_guard lock{self.mutex_};
          self.begun_.push_back({call, copy(message)});
          self.changed_.notify_all();
        }};
    pointers_[at] = &methods_[at];
  }
}

Service::Begun Service::take() {
  std::unique_lock lock{mutex_};
  changed_.wait(lock, [&] { return !begun_.empty(); });
  auto begun = std::move(begun_.front());
  begun_.pop_front();
  return begun;
}

std::vector<sy_grpc_call*> Service::cancelled(std::size_t count) {
  return wait(cancelled_, count);
}

std::vector<sy_grpc_call*> Service::ended(std::size_t count) {
  return wait(ended_, count);
}

std::size_t Service::told() {
  const std::lock_guard lock{mutex_};
  return cancelled_.size();
}

std::vector<sy_grpc_call*> Service::wait(std::vector<sy_grpc_call*>& list, std::size_t count) {
  std::unique_lock lock{mutex_};
  changed_.wait(lock, [&] { return list.size() >= count; });
  return list;
}

sy_grpc_service Service::entry(std::uint32_t flags) {
  return {
      .struct_size = sizeof(sy_grpc_service),
      .flags = flags,
      .context = this,
      .methods = pointers_,
      .method_count = std::size(pointers_),
      .descriptor_set = {},
      .cancel =
          [](void* context, sy_grpc_call* call) {
            auto& self = *static_cast<Service*>(context);
            const std::lock_guard lock{self.mutex_};
            self.cancelled_.push_back(call);
            self.changed_.notify_all();
          },
      .ended =
          [](void* context, sy_grpc_call* call) {
            auto& self = *static_cast<Service*>(context);
            const std::lock_guard lock{self.mutex_};
            self.ended_.push_back(call);
            self.changed_.notify_all();
          }};
}

void finish(
    sy_grpc_call* call, sy_grpc_code code, std::string_view message, sy_grpc_metadata trailers) {
  sy_grpc_status status{};
  status.struct_size = sizeof status;
  status.code = code;
  if (code != SY_GRPC_OK) status.message = text(message);
  call->api->finish(call, &status, bytes(message), trailers);
}

sy_grpc_call_info describe(sy_grpc_call* call) {
  sy_grpc_call_info info{};
  info.struct_size = sizeof info;
  call->api->describe(call, &info);
  return info;
}

} // namespace switchyard::grpc::test
