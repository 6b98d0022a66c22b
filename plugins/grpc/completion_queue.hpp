#pragma once

#include <switchyard/host.hpp>
#include <switchyard/threads.hpp>

#include <grpc/grpc.h>

#include <vector>

namespace switchyard::grpc {

/// Something gRPC was asked for, and what is done once it has happened. Stays where it is from the
/// question to the answer.
class Completion {
public:
  /// On a thread of the queue. `ok` as gRPC says it: false when the call or the server has ended.
  using Run = void (*)(void* owner, bool ok);

  Completion(Run run, void* owner) noexcept : run_{run}, owner_{owner} {}

  Completion(const Completion&) = delete;
  Completion& operator=(const Completion&) = delete;

  /// What gRPC gets.
  [[nodiscard]] void* tag() noexcept { return this; }

private:
  friend class CompletionQueue;

  const Run run_;
  void* const owner_;
};

/// gRPC's completion queue and the threads that look after it: they read and write the sockets of
/// all servers of a generation, and run what has completed. Half as many as there are processors:
/// with gRPC 1.51 one of them polls at a time and wakes the next before it works, so that a thread
/// more costs a switch a call.
class CompletionQueue {
public:
  CompletionQueue();
  /// Waits for what was asked for; everybody who could ask for more has gone. [control]
  ~CompletionQueue();
  CompletionQueue(const CompletionQueue&) = delete;
  CompletionQueue& operator=(const CompletionQueue&) = delete;

  /// Throws Failure when the host gives no thread. Once. [control]
  void start(const Host& host);

  [[nodiscard]] grpc_completion_queue* get() const noexcept { return queue_; }

  /// Has `completion` run on a thread of the queue, soon. Any thread.
  void post(Completion& completion) const noexcept;

private:
  void run() noexcept;

  grpc_completion_queue* const queue_;
  // A call that is never begun: nothing else lets one put something of one's own into the queue.
  grpc_channel* const nowhere_;
  grpc_call* const idle_;
  std::vector<Thread> threads_;
};

} // namespace switchyard::grpc
