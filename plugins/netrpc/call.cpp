#include <switchyard/bytes.hpp>

#include <plugins/netrpc/call.hpp>
#include <plugins/netrpc/conversation.hpp>
#include <plugins/netrpc/loop.hpp>

#include <memory>
#include <utility>

namespace switchyard::netrpc {

const sy_netrpc_call_api Call::kApi = {
    .struct_size = sizeof(sy_netrpc_call_api),
    .reserved = 0,
    .reply = [](sy_netrpc_call* call,
                sy_bytes body) { static_cast<Call*>(call)->answer(Verdict::Reply, body); },
    .fail =
        [](sy_netrpc_call* call, sy_string text) {
          static_cast<Call*>(call)->answer(Verdict::Fail, {text.data, text.size});
        },
    .drop = [](sy_netrpc_call* call) { static_cast<Call*>(call)->answer(Verdict::Drop, {}); },
    .remote = [](sy_netrpc_call* call) { return to_c(static_cast<Call*>(call)->remote_); },
    .reject =
        [](sy_netrpc_call* call, sy_string text) {
          static_cast<Call*>(call)->answer(Verdict::Reject, {text.data, text.size});
        },
};

Call::Call(Loop& loop, Conversation& conversation, std::uint64_t seq, EndpointUse endpoint)
    : sy_netrpc_call{&kApi},
      loop_{loop},
      conversation_{&conversation},
      seq_{seq},
      endpoint_{std::move(endpoint)},
      remote_{conversation.remote()} {}

bool Call::run(std::string_view method, sy_bytes body) {
  running_method_ = method;
  loop_.calling = this;
  endpoint_.call(this, body);
  if (loop_.calling == nullptr) {
    delete this;
    return true;
  }
  loop_.calling = nullptr;
  method_ = method;
  loop_.keep(*this);
  return false;
}

void Call::cancel() {
  if (!std::exchange(cancelled_, true)) endpoint_.cancel(this);
}

void Call::orphan() {
  conversation_ = nullptr;
  cancel();
}

void Call::answer(Verdict verdict, sy_bytes content) {
  if (loop_.is_current() && loop_.calling == this) {
    loop_.calling = nullptr;
    conversation_->answer(seq_, running_method_, {verdict, content});
    return;
  }
  verdict_ = verdict;
  const auto bytes = view(content);
  content_.assign(bytes.begin(), bytes.end());
  loop_.post(
      &Call::answered, this); // stays, as all of the plugin does, if the host has given it up
}

void Call::answered(void* self) {
  std::unique_ptr<Call> call{static_cast<Call*>(self)};
  auto& loop = call->loop_;
  if (call->conversation_ != nullptr) {
    const Answer answer{call->verdict_, to_c(std::span<const std::byte>{call->content_})};
    call->conversation_->take_answer(call->seq_, call->method_, answer);
  }
  call.reset();
  loop.call_ended();
}

} // namespace switchyard::netrpc
