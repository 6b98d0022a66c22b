#pragma once

#include <switchyard/netrpc/client.h>

#include <plugins/netrpc/deadlines.hpp>

#include <boost/intrusive/list.hpp>
#include <boost/smart_ptr/intrusive_ptr.hpp>

#include <atomic>
#include <cstdint>
#include <string>
#include <vector>

namespace switchyard::netrpc {

class ClientPool;
class ClientSession;

/// Where a call goes: calls with the same one share a session.
struct Destination {
  sy_dial_tls tls;
  std::string address;
  std::string server_name;

  friend bool operator==(const Destination&, const Destination&) = default;
};

/// What an object that is handed out begins with, in every version of this plugin: after a swap it
/// comes back to the next one, which then touches nothing else of it.
struct HandedOut {
  const void* provider;
};

} // namespace switchyard::netrpc

/// One call of another server, from call() to done(). It belongs to its pool's loop; other threads
/// only ask for its end. [loop], except where it says any thread.
struct sy_netrpc_invocation final
    : public switchyard::netrpc::HandedOut,
      public boost::intrusive::list_base_hook<
          boost::intrusive::link_mode<boost::intrusive::auto_unlink>> {
public:
  using Pointer = boost::intrusive_ptr<sy_netrpc_invocation>;

  /// A call of provider `of`. Copies `request`. Any thread.
  sy_netrpc_invocation(
      const void* of,
      switchyard::netrpc::ClientPool& pool,
      const sy_netrpc_request& request,
      sy_netrpc_done done,
      void* context);

  /// Begins on the loop. False, and it is gone: the host has given the plugin up. Any thread, once.
  [[nodiscard]] bool begin();

  /// Ends with SY_CANCELLED on the loop, unless it has ended by then. Any thread.
  void cancel();

  /// Tells the caller. Only the first time has an effect.
  void finish(sy_status status, sy_string error = {}, sy_bytes reply = {});

  [[nodiscard]] const switchyard::netrpc::Destination& destination() const noexcept {
    return destination_;
  }

  [[nodiscard]] const std::string& method() const noexcept { return method_; }

  /// The body; whoever sends it may take it away.
  std::vector<std::byte> body;

  /// The session whose stream it has; null while it waits for one.
  switchyard::netrpc::ClientSession* session = nullptr;

private:
  static void begun(void* self);
  static void cancelled(void* self);
  static void overdue(void* self);

  void stop(sy_status status);

  friend void intrusive_ptr_add_ref(sy_netrpc_invocation* self) noexcept {
    self->references_.fetch_add(1, std::memory_order_relaxed);
  }

  friend void intrusive_ptr_release(sy_netrpc_invocation* self) noexcept {
    if (self->references_.fetch_sub(1, std::memory_order_acq_rel) == 1) delete self;
  }

  switchyard::netrpc::ClientPool& pool_;
  const switchyard::netrpc::Destination destination_;
  const std::string method_;
  sy_netrpc_done done_; ///< null once called
  void* const context_;
  const std::chrono::nanoseconds due_;
  switchyard::netrpc::Deadline overdue_;
  std::atomic<std::uint32_t> references_ = 0;
};
