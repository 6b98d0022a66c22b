#include <switchyard/bytes.hpp>

#include <plugins/netrpc/client_pool.hpp>
#include <plugins/netrpc/client_session.hpp>
#include <plugins/netrpc/invocation.hpp>
#include <plugins/netrpc/loop.hpp>

#include <utility>

sy_netrpc_invocation::sy_netrpc_invocation(
    const void* of,
    switchyard::netrpc::ClientPool& pool,
    const sy_netrpc_request& request,
    sy_netrpc_done done,
    void* context)
    : HandedOut{of},
      pool_{pool},
      destination_{
          request.tls,
          std::string{switchyard::view(request.address)},
          std::string{switchyard::view(request.server_name)}},
      method_{switchyard::view(request.method)},
      done_{done},
      context_{context},
      due_{pool.loop().deadlines.now() + std::chrono::nanoseconds{request.timeout}},
      overdue_{&sy_netrpc_invocation::overdue, this} {
  const auto bytes = switchyard::view(request.body);
  body.assign(bytes.begin(), bytes.end());
}

bool sy_netrpc_invocation::begin() {
  Pointer kept{this}; // until it is finished
  if (!pool_.loop().post(&sy_netrpc_invocation::begun, this)) return false;
  kept.detach();
  return true;
}

void sy_netrpc_invocation::begun(void* self) {
  auto& invocation = *static_cast<sy_netrpc_invocation*>(self);
  auto& loop = invocation.pool_.loop();
  loop.call_kept();
  if (loop.draining()) return invocation.finish(SY_CANCELLED);
  ++loop.count.client_calls;
  loop.deadlines.arm(invocation.overdue_, invocation.due_);
  invocation.pool_.submit(invocation);
}

void sy_netrpc_invocation::cancel() {
  Pointer kept{this}; // until that has been dealt with
  if (pool_.loop().post(&sy_netrpc_invocation::cancelled, this)) kept.detach();
}

void sy_netrpc_invocation::cancelled(void* self) {
  const Pointer invocation{static_cast<sy_netrpc_invocation*>(self), false};
  invocation->stop(SY_CANCELLED);
}

void sy_netrpc_invocation::overdue(void* self) {
  static_cast<sy_netrpc_invocation*>(self)->stop(SY_TIMED_OUT);
}

void sy_netrpc_invocation::stop(sy_status status) {
  const Pointer kept{this};
  if (session != nullptr) session->abandon(*this);
  finish(status);
}

void sy_netrpc_invocation::finish(sy_status status, sy_string error, sy_bytes reply) {
  const auto done = std::exchange(done_, nullptr);
  if (done == nullptr) return;

  auto& loop = pool_.loop();
  loop.deadlines.disarm(overdue_);
  unlink();
  session = nullptr;
  done(context_, status, error, reply);
  intrusive_ptr_release(this);
  loop.call_ended();
}
