#pragma once

#include <switchyard/netrpc/endpoints.h>

#include <plugins/netrpc/endpoint_table.hpp>

#include <boost/intrusive/list.hpp>
#include <boost/smart_ptr/intrusive_ptr.hpp>

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <mutex>

namespace switchyard::netrpc {

class LocalCalls;

/// A call of an endpoint from this process. Lives until it is answered and nobody is telling its
/// endpoint that it is cancelled. Any thread.
class LocalCall final : public sy_netrpc_call,
                        public boost::intrusive::list_base_hook<
                            boost::intrusive::link_mode<boost::intrusive::safe_link>> {
public:
  LocalCall(LocalCalls& calls, EndpointUse endpoint, sy_netrpc_done done, void* context);
  ~LocalCall();
  LocalCall(const LocalCall&) = delete;
  LocalCall& operator=(const LocalCall&) = delete;

  void run(sy_bytes body) { endpoint_.call(this, body); }

  void cancel() { endpoint_.cancel(this); }

  [[nodiscard]] const sy_registration* registration() const noexcept {
    return endpoint_.registration();
  }

private:
  static const sy_netrpc_call_api kApi;

  void answer(sy_status status, sy_string error, sy_bytes reply);

  friend void intrusive_ptr_add_ref(LocalCall* call) noexcept {
    call->references_.fetch_add(1, std::memory_order_relaxed);
  }

  friend void intrusive_ptr_release(LocalCall* call) noexcept {
    if (call->references_.fetch_sub(1, std::memory_order_acq_rel) == 1) delete call;
  }

  LocalCalls& calls_;
  EndpointUse endpoint_;
  const sy_netrpc_done done_;
  void* const context_;
  std::atomic<std::uint32_t> references_{1}; ///< the answer's
};

/// All of them, so that a drain can cancel them and a stop can wait for them. Any thread.
class LocalCalls {
public:
  /// SY_NOT_FOUND when there is no such endpoint, SY_CANCELLED once cancel_all() was called.
  [[nodiscard]] sy_status invoke(
      const EndpointTable& endpoints,
      std::string_view method,
      sy_bytes body,
      sy_netrpc_done done,
      void* context);

  /// Tells every endpoint to answer soon, and begins nothing more.
  void cancel_all();

  /// Tells the endpoint of each call through `registration` to answer soon.
  void end_soon(const sy_registration* registration);

  /// Waits until all are answered; false when some are not at `limit`.
  [[nodiscard]] bool wait(std::chrono::steady_clock::time_point limit);

private:
  friend class LocalCall;

  void answered(LocalCall& call) noexcept;
  void ended() noexcept;

  std::mutex mutex_;
  std::condition_variable none_left_;
  boost::intrusive::list<LocalCall> open_; ///< not answered
  std::size_t alive_ = 0;
  bool closed_ = false;
};

} // namespace switchyard::netrpc
