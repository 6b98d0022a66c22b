#pragma once

#include <switchyard/plugin.h>
#include <switchyard/threads.hpp>

#include <plugins/grpc/call_environment.hpp>
#include <plugins/grpc/client.hpp>
#include <plugins/grpc/completion_queue.hpp>
#include <plugins/grpc/config.hpp>
#include <plugins/grpc/descriptors.hpp>
#include <plugins/grpc/live_calls.hpp>
#include <plugins/grpc/loop.hpp>
#include <plugins/grpc/metrics.hpp>
#include <plugins/grpc/peers.hpp>
#include <plugins/grpc/server.hpp>
#include <plugins/grpc/service_table.hpp>
#include <plugins/grpc/service_threads.hpp>
#include <plugins/grpc/standard_services.hpp>

#include <atomic>
#include <condition_variable>
#include <memory>
#include <mutex>
#include <span>
#include <vector>

/// One generation of the plugin: gRPC's servers, a Loop for each of the host's, and what can be
/// called.
struct sy_instance final : public switchyard::grpc::Loop::Owner,
                           public switchyard::grpc::Client::Owner {
public:
  /// [control]
  sy_instance(const sy_host* host, std::string_view config);
  ~sy_instance();
  sy_instance(const sy_instance&) = delete;
  sy_instance& operator=(const sy_instance&) = delete;

  /// Starts gRPC. [control]
  void start();

  /// As sy_plugin.serve. [loop]
  sy_status serve(std::uint32_t protocol, sy_connection* connection);

  /// `done` is called once when everything has ended. `deadline` as sy_loops.now. [control]
  void drain(std::uint64_t deadline, sy_drain_done done, void* context);

  /// [control]
  void abort_all();

  /// Throws Failure when services do not finish their calls. [control]
  void stop();

  /// As sy_registrar.bind, throwing Failure, and unbind. [control]
  void bind(std::string_view name, const sy_grpc_service& service, sy_registration* registration) {
    standard_services_.add(name, service, registration);
  }

  void unbind(sy_registration* registration) { standard_services_.remove(registration); }

  /// As sy_registrar.exchange, throwing Failure, and end_soon. [control]
  void exchange(std::span<sy_registration* const> gone, std::span<const sy_binding> come) {
    standard_services_.exchange(gone, come);
  }

  void end_soon(const sy_registration* registration, bool all) {
    live_calls_.ask(all, registration);
  }

  [[nodiscard]] switchyard::grpc::Client& client() noexcept { return client_; }

private:
  using Server = switchyard::grpc::Server;

  /// What belongs to one of the host's loops.
  struct Share {
    Share(sy_instance& instance, std::uint32_t index);

    static void drain(void* self);
    static void abort(void* self);

    sy_instance& instance;
    switchyard::grpc::Loop loop;
  };

  /// Something a drain does later, on loop 0.
  struct Alarm {
    sy_instance& instance;
    void (sy_instance::*ring)();
    std::uint64_t due = 0; ///< as sy_loops.now
    sy_timer* timer = nullptr;

    void start();
    void stop() noexcept;
    static void fired(void* self);
  };

  [[nodiscard]] sy_status walk(
      switchyard::grpc::Loop& loop,
      bool external,
      sy_connection* connection,
      const sy_connection_info& info);
  [[nodiscard]] sy_status
  hand_over(Server& server, sy_connection* connection, const sy_connection_info& info);

  void begin_drain();
  void begin_shutdown();
  void wait_for_service_threads() const;
  void ask_unary_calls();
  void look_after_direct();
  void end_direct();
  void one_has_ended();
  void loop_is_quiet() override;
  void client_is_quiet() override;
  static void start_alarms(void* self);
  static void stop_alarms(void* self);
  static void passed(void* self);

  const switchyard::Host host_;
  const sy_loops& loops_api_;
  const switchyard::grpc::Config config_;
  const switchyard::grpc::Metrics metrics_;
  const switchyard::http2::Limits limits_[2]; ///< [external]
  switchyard::grpc::ServiceTable services_;
  switchyard::grpc::StandardServices standard_services_;
  switchyard::grpc::Peers peers_;
  switchyard::grpc::LiveCalls live_calls_;
  switchyard::grpc::ServiceThreads service_threads_;
  const switchyard::grpc::CallEnvironment environment_;
  switchyard::grpc::Client client_;
  std::vector<std::unique_ptr<Share>> shares_; ///< by the host's numbers of loops
  // From start() to stop().
  std::unique_ptr<switchyard::grpc::CompletionQueue> queue_;
  std::unique_ptr<Server> servers_[2][2]; ///< [external][direct]
  switchyard::grpc::Descriptors handed_over_;
  std::atomic<std::size_t> to_drain_ = 0; ///< loops whose clients have not been told
  Alarm unary_alarm_;
  Alarm direct_alarm_;
  std::atomic<bool> direct_ended_ = false;
  bool draining_ = false;      ///< [control]
  bool shutting_down_ = false; ///< [control]
  switchyard::Thread shutdown_;

  std::mutex mutex_;
  std::condition_variable changed_;
  bool shut_down_ = false;
  /// Loops that are not quiet yet, the client, and connections that were handed over.
  std::size_t busy_;
  std::size_t to_pass_ = 0; ///< posts of stop() that have not run
  sy_drain_done done_ = nullptr;
  void* done_context_ = nullptr;
};
