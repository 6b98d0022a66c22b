#include "service.hpp"

#include <chrono>
#include <memory>
#include <string_view>
#include <utility>

namespace switchyard::grpc::test {
namespace {

constexpr std::chrono::minutes kLimit{1};

sy_string text(std::string_view view) {
  return {view.data(), view.size()};
}

std::string copy(sy_bytes message) {
  return {static_cast<const char*>(message.data), message.size};
}

void finish(sy_grpc_call* call, sy_grpc_code code, std::string_view message = {}) {
  sy_grpc_status status{};
  status.struct_size = sizeof status;
  status.code = code;
  call->api->finish(call, &status, {message.data(), message.size()}, {});
}

} // namespace

struct Service::Stream {
  Service& service;
  const std::uint64_t generation;
  sy_grpc_call* call;

  void receive() {
    if (call->api->receive(call, &Stream::received, this) != SY_OK) finish(call, SY_GRPC_CANCELLED);
  }

  static void received(void* context, sy_status status, sy_bytes message) {
    auto& self = *static_cast<Stream*>(context);
    if (status != SY_OK)
      return finish(self.call, status == SY_CLOSED ? SY_GRPC_OK : SY_GRPC_CANCELLED);
    std::string answer;
    {
      const std::lock_guard lock{self.service.mutex_};
      answer = std::to_string(self.generation) + ' ' + std::to_string(self.service.newest_) + ' ';
    }
    answer += copy(message);
    const sy_bytes bytes{answer.data(), answer.size()};
    if (self.call->api->send(self.call, bytes, &Stream::sent, &self) != SY_OK)
      finish(self.call, SY_GRPC_CANCELLED);
  }

  static void sent(void* context, sy_status status) {
    auto& self = *static_cast<Stream*>(context);
    if (status != SY_OK) return finish(self.call, SY_GRPC_CANCELLED);
    self.receive();
  }
};

Service::Offer::Offer(Service& service, std::uint64_t generation)
    : service_{service},
      generation_{generation},
      methods_{
          {.struct_size = sizeof(sy_grpc_method),
           .kind = SY_GRPC_UNARY,
           .name = text("Hold"),
           .context = this,
           .call = &Offer::hold},
          {.struct_size = sizeof(sy_grpc_method),
           .kind = SY_GRPC_BIDIRECTIONAL,
           .name = text("Follow"),
           .context = this,
           .call = &Offer::follow}},
      pointers_{&methods_[0], &methods_[1]} {}

sy_grpc_service Service::Offer::entry() {
  return {
      .struct_size = sizeof(sy_grpc_service),
      .flags = SY_GRPC_ON_EXTERNAL,
      .context = &service_,
      .methods = pointers_,
      .method_count = std::size(pointers_),
      .descriptor_set = {},
      .cancel =
          [](void* context, sy_grpc_call* call) {
            auto& service = *static_cast<Service*>(context);
            const std::lock_guard lock{service.mutex_};
            if (call->user != nullptr) ++service.asked_;
          },
      .ended =
          [](void* context, sy_grpc_call* call) {
            const std::unique_ptr<Stream> ended{static_cast<Stream*>(call->user)};
            if (!ended) return;
            auto& service = *static_cast<Service*>(context);
            const std::lock_guard lock{service.mutex_};
            --service.streams_;
          }};
}

void Service::Offer::hold(void* self, sy_grpc_call* call, sy_bytes message) {
  auto& offer = *static_cast<Offer*>(self);
  offer.service_.hold(offer.generation_, {call, copy(message)});
}

void Service::Offer::follow(void* self, sy_grpc_call* call, sy_bytes) {
  auto& offer = *static_cast<Offer*>(self);
  auto& service = offer.service_;
  auto* const stream = new Stream{service, offer.generation_, call};
  call->user = stream;
  {
    const std::lock_guard lock{service.mutex_};
    ++service.streams_;
    service.changed_.notify_all();
  }
  stream->receive();
}

void Service::hold(std::uint64_t generation, Held held) {
  Held oldest{};
  {
    const std::lock_guard lock{mutex_};
    held_.push_back(std::move(held));
    ++begun_;
    if (generation == newest_) ++calls_;
    changed_.notify_all();
    if (!released_ && held_.size() <= kHeldCalls) return;
    oldest = std::move(held_.front());
    held_.pop_front();
  }
  finish(oldest.call, SY_GRPC_OK, oldest.message);
}

void Service::set_newest(std::uint64_t generation) {
  const std::lock_guard lock{mutex_};
  newest_ = generation;
  calls_ = 0;
}

bool Service::wait_for_calls(std::uint64_t count) {
  std::unique_lock lock{mutex_};
  return changed_.wait_for(lock, kLimit, [&] { return calls_ >= count && streams_ > 0; });
}

std::size_t Service::streams() {
  const std::lock_guard lock{mutex_};
  return streams_;
}

std::size_t Service::held() {
  const std::lock_guard lock{mutex_};
  return held_.size();
}

std::uint64_t Service::begun() {
  const std::lock_guard lock{mutex_};
  return begun_;
}

std::size_t Service::asked() {
  const std::lock_guard lock{mutex_};
  return asked_;
}

void Service::release() {
  std::deque<Held> all;
  {
    const std::lock_guard lock{mutex_};
    released_ = true;
    all.swap(held_);
  }
  for (const auto& held : all)
    finish(held.call, SY_GRPC_OK, held.message);
}

} // namespace switchyard::grpc::test
