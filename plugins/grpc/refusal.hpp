#pragma once

#include <plugins/grpc/completion_queue.hpp>
#include <plugins/grpc/incoming.hpp>
#include <plugins/grpc/pending.hpp>

#include <string>

namespace switchyard::grpc {

/// Answers a call that no service takes, as UNIMPLEMENTED. Deletes itself when that is sent.
class Refusal {
public:
  /// `pending` counts it.
  static void start(Pending& pending, Incoming incoming, const std::string& why);

private:
  Refusal(Pending& pending, Incoming incoming) noexcept
      : pending_{pending}, incoming_{std::move(incoming)} {}

  static void sent(void* self, bool ok);

  Pending& pending_;
  const Incoming incoming_;
  int cancelled_ = 0; ///< of no interest
  Completion sent_{&Refusal::sent, this};
};

} // namespace switchyard::grpc
