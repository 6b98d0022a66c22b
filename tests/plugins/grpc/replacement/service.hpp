#pragma once

#include <switchyard/grpc/services.h>

#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <mutex>
#include <string>
#include <string_view>

namespace switchyard::grpc::test {

/// The service "test.Replacement" of every generation; outlives the instances that serve it.
///
/// Hold (unary) gives its message back once kHeldCalls others have come, of whichever generation:
/// so calls of a generation are answered after the next one has taken over.
///
/// Follow (bidirectional) answers each message with "GENERATION NEWEST MESSAGE", and ends when its
/// client does, not when it is asked to.
///
/// Any thread.
class Service {
public:
  static constexpr std::string_view kName = "test.Replacement";
  static constexpr std::size_t kHeldCalls = 8;

  /// The service as one generation registers it.
  class Offer {
  public:
    Offer(Service& service, std::uint64_t generation);
    Offer(const Offer&) = delete;
    Offer& operator=(const Offer&) = delete;

    [[nodiscard]] sy_grpc_service entry();

  private:
    friend Service;

    static void hold(void* self, sy_grpc_call* call, sy_bytes message);
    static void follow(void* self, sy_grpc_call* call, sy_bytes message);

    Service& service_;
    const std::uint64_t generation_;
    sy_grpc_method methods_[2];
    const sy_grpc_method* pointers_[2];
  };

  /// From now on the streams say that this generation is the newest.
  void set_newest(std::uint64_t generation);

  /// Waits until so many calls of Hold have come to `generation`, the newest, and a stream is open.
  /// False when they have not come within a minute.
  [[nodiscard]] bool wait_for_calls(std::uint64_t count);

  /// Streams that are open now, of all generations.
  [[nodiscard]] std::size_t streams();

  /// Calls of Hold that wait for their answer.
  [[nodiscard]] std::size_t held();

  /// Calls of Hold that have come, to all generations.
  [[nodiscard]] std::uint64_t begun();

  /// How often streams were asked to end.
  [[nodiscard]] std::size_t asked();

  /// Answers all that is held, and from now on every call at once.
  void release();

private:
  struct Held {
    sy_grpc_call* call;
    std::string message;
  };

  struct Stream;

  void hold(std::uint64_t generation, Held held);

  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<Held> held_;
  bool released_ = false;
  std::uint64_t newest_ = 0;
  std::uint64_t begun_ = 0;
  std::uint64_t calls_ = 0; ///< of Hold, to the newest
  std::size_t streams_ = 0;
  std::size_t asked_ = 0;
};

} // namespace switchyard::grpc::test
