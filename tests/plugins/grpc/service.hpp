#pragma once

#include <switchyard/bytes.hpp>
#include <switchyard/grpc/services.h>

#include <condition_variable>
#include <deque>
#include <mutex>
#include <string>
#include <vector>

namespace switchyard::grpc::test {

inline sy_string text(std::string_view view) {
  return {view.data(), view.size()};
}

inline sy_bytes bytes(std::string_view view) {
  return {view.data(), view.size()};
}

/// One send or receive of a service; waits for its end.
class Operation {
public:
  struct End {
    sy_status status;
    std::string message;
  };

  static void sent(void* self, sy_status status) { received(self, status, {}); }

  static void received(void* self, sy_status status, sy_bytes message);

  [[nodiscard]] End wait();

  [[nodiscard]] bool ended();

private:
  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<End> ends_;
};

/// A registrant with a method of each kind, whose calls wait until the test answers them. Any
/// thread.
class Service {
public:
  struct Begun {
    sy_grpc_call* call;
    std::string message;
  };

  Service();
  Service(const Service&) = delete;
  Service& operator=(const Service&) = delete;

  /// The oldest call that was not taken yet; waits for one.
  [[nodiscard]] Begun take();

  /// Waits until so many calls were told to end; returns them.
  std::vector<sy_grpc_call*> cancelled(std::size_t count);

  /// Waits until so many calls have ended; returns them.
  std::vector<sy_grpc_call*> ended(std::size_t count);

  [[nodiscard]] std::size_t told();

  /// "Unary", "ClientStream", "ServerStream", "Bidi".
  [[nodiscard]] sy_grpc_service
  entry(std::uint32_t flags = SY_GRPC_ON_INTERNAL | SY_GRPC_ON_EXTERNAL);

private:
  std::vector<sy_grpc_call*> wait(std::vector<sy_grpc_call*>& list, std::size_t count);

  sy_grpc_method methods_[4];
  const sy_grpc_method* pointers_[4];
  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<Begun> begun_;
  std::vector<sy_grpc_call*> cancelled_;
  std::vector<sy_grpc_call*> ended_;
};

/// Finishes a call.
void finish(
    sy_grpc_call* call,
    sy_grpc_code code,
    std::string_view message = {},
    sy_grpc_metadata trailers = {});

[[nodiscard]] sy_grpc_call_info describe(sy_grpc_call* call);

} // namespace switchyard::grpc::test
