#include <switchyard/bytes.hpp>

#include <plugins/netrpc/local_call.hpp>

#include <utility>
#include <vector>

namespace switchyard::netrpc {
namespace {

LocalCall& self(sy_netrpc_call* call) {
  return *static_cast<LocalCall*>(call);
}

} // namespace

const sy_netrpc_call_api LocalCall::kApi = {
    .struct_size = sizeof(sy_netrpc_call_api),
    .reserved = 0,
    .reply = [](sy_netrpc_call* call, sy_bytes body) { self(call).answer(SY_OK, {}, body); },
    .fail = [](sy_netrpc_call* call, sy_string text) { self(call).answer(SY_OK, text, {}); },
    .drop = [](sy_netrpc_call* call) { self(call).answer(SY_CLOSED, {}, {}); },
    .remote = [](sy_netrpc_call*) { return to_c(std::string_view{"in-process"}); },
    .reject = [](sy_netrpc_call* call, sy_string text) { self(call).answer(SY_OK, text, {}); },
};

LocalCall::LocalCall(LocalCalls& calls, EndpointUse endpoint, sy_netrpc_done done, void* context)
    : sy_netrpc_call{&kApi},
      calls_{calls},
      endpoint_{std::move(endpoint)},
      done_{done},
      context_{context} {}

LocalCall::~LocalCall() {
  endpoint_ = {};
  calls_.ended();
}

void LocalCall::answer(sy_status status, sy_string error, sy_bytes reply) {
  const boost::intrusive_ptr<LocalCall> last{this, false};
  done_(context_, status, error, reply);
  calls_.answered(*this);
}

sy_status LocalCalls::invoke(
    const EndpointTable& endpoints,
    std::string_view method,
    sy_bytes body,
    sy_netrpc_done done,
    void* context) {
  EndpointUse endpoint;
  if (endpoints.find(method, Audience::Authenticated, endpoint) !=
      EndpointTable::Missing::Nothing) {
    return SY_NOT_FOUND;
  }
  boost::intrusive_ptr<LocalCall> call;
  {
    const std::lock_guard lock{mutex_};
    if (closed_) return SY_CANCELLED;
    call = new LocalCall{*this, std::move(endpoint), done, context};
    open_.push_back(*call);
    ++alive_;
  }
  call->run(body);
  return SY_OK;
}

void LocalCalls::cancel_all() {
  std::vector<boost::intrusive_ptr<LocalCall>> open;
  {
    const std::lock_guard lock{mutex_};
    closed_ = true;
    for (auto& call : open_)
      open.emplace_back(&call);
  }
  for (const auto& call : open)
    call->cancel();
}

void LocalCalls::end_soon(const sy_registration* registration) {
  std::vector<boost::intrusive_ptr<LocalCall>> told;
  {
    const std::lock_guard lock{mutex_};
    for (auto& call : open_) {
      if (call.registration() == registration) told.emplace_back(&call);
    }
  }
  for (const auto& call : told)
    call->cancel();
}

bool LocalCalls::wait(std::chrono::steady_clock::time_point limit) {
  std::unique_lock lock{mutex_};
  return none_left_.wait_until(lock, limit, [this] { return alive_ == 0; });
}

// From here on cancel_all() does not find it.
void LocalCalls::answered(LocalCall& call) noexcept {
  const std::lock_guard lock{mutex_};
  open_.erase(open_.iterator_to(call));
}

void LocalCalls::ended() noexcept {
  const std::lock_guard lock{mutex_};
  if (--alive_ == 0) none_left_.notify_all();
}

} // namespace switchyard::netrpc
