#pragma once

#include <switchyard/grpc/client.h>
#include <switchyard/host.hpp>
#include <switchyard/pump.h>

#include <plugins/grpc/backoff.hpp>
#include <plugins/grpc/client_call.hpp>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <list>
#include <memory>
#include <mutex>
#include <random>
#include <string>
#include <unordered_map>
#include <vector>

namespace switchyard::grpc {

/// What all channels of an instance share.
struct ClientEnvironment {
  /// Who is told.
  class Owner {
  public:
    /// A channel has nothing left. Any thread.
    virtual void channel_is_gone() = 0;

  protected:
    ~Owner() = default;
  };

  Host host;
  const sy_loops& loops;
  const sy_dial* dial; ///< null: this host does not dial
  Owner& owner;
};

/// Calls of one server over a connection that is dialled when a call needs it: the host's, the
/// pump, a socket pair, gRPC. Lives on one loop, and as long as anything of it is still to come.
/// Any thread, except where it says loop.
///
/// A connection on which a call has failed as unavailable takes no further one, if it has lasted: a
/// server that is going away says so to gRPC, which tells nobody else.
class ClientChannel : public std::enable_shared_from_this<ClientChannel> {
public:
  /// Copies `options`; `loop` is where it lives.
  [[nodiscard]] static std::shared_ptr<ClientChannel> make(
      const ClientEnvironment& environment,
      const sy_grpc_channel_options& options,
      std::uint32_t loop);

  ~ClientChannel();
  ClientChannel(const ClientChannel&) = delete;
  ClientChannel& operator=(const ClientChannel&) = delete;

  /// Begins a call, now or when there is a connection; it may have ended when this returns.
  /// SY_LIMIT: too many wait; SY_CANCELLED: the channel is closed.
  sy_status begin(
      const sy_grpc_request& request, const ClientCall::Listener& listener, sy_grpc_stream** made);

  /// Lets the calls end, and begins no other.
  void drain();

  /// Cancels all calls, and begins no other.
  void close();

  /// In bytes of a message.
  [[nodiscard]] std::uint64_t max_send() const noexcept { return max_send_; }

  /// Runs `run` on the loop, later.
  void post(sy_callback run, void* context) const noexcept;

  /// Something has changed for calls that wait: it is seen to, later.
  void look_after_waiting();

  /// `call` has failed as unavailable, which its maker does not know yet. [loop]
  void unavailable(ClientCall& call);

  /// The maker of `call` has heard its last. [loop]
  void left(ClientCall& call);

private:
  ClientChannel(
      const ClientEnvironment& environment,
      const sy_grpc_channel_options& options,
      std::uint32_t loop);

  /// One connection.
  struct Link {
    ClientChannel& channel;
    std::chrono::nanoseconds since;              ///< as now()
    std::shared_ptr<::grpc::Channel> connection; ///< null: it takes no further call
    sy_pump* pump = nullptr;

    static void ended(void* self);
  };

  struct Dialling;

  [[nodiscard]] std::chrono::nanoseconds now() const noexcept;

  // [loop]
  static void looked_for(void* self);
  void look();
  [[nodiscard]] bool end_waiting(std::chrono::nanoseconds now);
  void dial();
  static void dialled(void* dialling, sy_status status, sy_connection* wire, const sy_error* error);
  [[nodiscard]] bool connect(sy_connection* wire);
  [[nodiscard]] std::shared_ptr<::grpc::Channel> speak(int descriptor) const;
  void fail_waiting(const std::string& why);
  void give_up(Link& link);
  void set_timer();
  static void timer_fired(void* self);
  void stop_timer() noexcept;

  const ClientEnvironment& environment_;
  const std::uint32_t loop_;
  const std::string address_;
  const std::string alpn_;
  const std::string server_name_;
  const std::string trust_roots_;
  const std::string authority_;
  sy_dial_options dial_; ///< its texts are those above
  const std::uint64_t max_receive_;
  const std::uint64_t max_send_;
  const std::chrono::nanoseconds keepalive_;

  std::mutex mutex_;                            ///< of these
  std::shared_ptr<::grpc::Channel> connection_; ///< that takes calls; null: there is none
  std::vector<ClientCall*> waiting_;            ///< for a connection, in their order
  std::unordered_map<ClientCall*, const ::grpc::Channel*> calls_; ///< all, with their connection
  std::shared_ptr<ClientChannel> looking_; ///< itself while looked_for() comes
  bool draining_ = false;
  bool closed_ = false;

  // [loop]
  std::shared_ptr<ClientChannel> self_; ///< until nothing is left
  std::minstd_rand random_;
  Backoff backoff_;
  std::chrono::nanoseconds next_dial_{0};
  Dialling* dialling_ = nullptr;
  std::list<Link> links_;
  sy_timer* timer_ = nullptr;
};

} // namespace switchyard::grpc
