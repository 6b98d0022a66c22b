#include <plugins/grpc/completion_queue.hpp>

#include <boost/assert.hpp>
#include <grpc/slice.h>
#include <grpc/support/time.h>

#include <algorithm>
#include <thread>

namespace switchyard::grpc {

CompletionQueue::CompletionQueue()
    : queue_{grpc_completion_queue_create_for_next(nullptr)},
      nowhere_{grpc_lame_client_channel_create("nowhere", GRPC_STATUS_UNAVAILABLE, "")},
      idle_{grpc_channel_create_call(
          nowhere_,
          nullptr,
          0,
          queue_,
          grpc_slice_from_static_string("/"),
          nullptr,
          gpr_inf_future(GPR_CLOCK_MONOTONIC),
          nullptr)} {}

void CompletionQueue::start(const Host& host) {
  const auto count = std::clamp(std::thread::hardware_concurrency() / 2, 1U, 16U);
  for (auto left = count; left > 0; --left)
    threads_.emplace_back(host, "grpc", [this] { run(); });
}

// The threads return once the queue is empty.
CompletionQueue::~CompletionQueue() {
  grpc_call_unref(idle_);
  grpc_channel_destroy(nowhere_);
  grpc_completion_queue_shutdown(queue_);
  threads_.clear();
  grpc_completion_queue_destroy(queue_);
}

void CompletionQueue::post(Completion& completion) const noexcept {
  // Without operations a batch has completed at once.
  const auto error = grpc_call_start_batch(idle_, nullptr, 0, completion.tag(), nullptr);
  BOOST_VERIFY(error == GRPC_CALL_OK);
}

void CompletionQueue::run() noexcept {
  const auto never = gpr_inf_future(GPR_CLOCK_MONOTONIC);
  for (;;) {
    const auto event = grpc_completion_queue_next(queue_, never, nullptr);
    if (event.type == GRPC_QUEUE_SHUTDOWN) return;
    const auto& completion = *static_cast<Completion*>(event.tag);
    completion.run_(completion.owner_, event.success != 0);
  }
}

} // namespace switchyard::grpc
