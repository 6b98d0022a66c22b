#include <plugins/grpc/live_calls.hpp>

#include <vector>

namespace switchyard::grpc {

void LiveCalls::add(LiveCall& call) {
  auto& shard = this->shard(call);
  const std::lock_guard lock{shard.mutex};
  shard.calls.push_back(call);
}

void LiveCalls::remove(LiveCall& call) noexcept {
  auto& shard = this->shard(call);
  const std::lock_guard lock{shard.mutex};
  shard.calls.erase(shard.calls.iterator_to(call));
}

// Services are told without a lock: what they do may begin or end calls.
template <class Matches>
void LiveCalls::ask_if(Matches matches) {
  std::vector<LiveCall*> asked;
  for (auto& shard : shards_) {
    const std::lock_guard lock{shard.mutex};
    for (auto& call : shard.calls) {
      if (matches(call) && call.begin_to_ask()) asked.push_back(&call);
    }
  }
  for (auto* call : asked)
    call->ask();
}

void LiveCalls::ask(bool unary) {
  ask_if([unary](const LiveCall& call) { return unary || !call.is_unary(); });
}

void LiveCalls::ask(bool unary, const sy_registration* registration) {
  ask_if([=](const LiveCall& call) {
    return (unary || !call.is_unary()) && call.registration() == registration;
  });
}

} // namespace switchyard::grpc
