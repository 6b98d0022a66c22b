#pragma once

#include <switchyard/plugin.hpp>
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
#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

namespace switchyard::grpc {

/// One generation of the plugin: gRPC's servers, a Loop for each of the host's, and what can be
/// called. Entered as Plugin<Instance> says.
class Instance final : public Loop::Owner, public Client::Owner {
public:
  Instance(Host host, std::string_view config);
  ~Instance();
  Instance(const Instance&) = delete;
  Instance& operator=(const Instance&) = delete;

  static void check_config(std::string_view config);
  void start();
  [[nodiscard]] sy_status serve(std::uint32_t protocol, switchyard::Connection& offered);
  void drain(std::chrono::nanoseconds deadline, DrainDone done);
  void abort_all();

  /// Throws Failure when services do not finish their calls.
  void stop();

  [[nodiscard]] const void* query(std::string_view id);

  // What Registrar<Instance> asks for.
  using Entry = sy_grpc_service;
  static constexpr std::string_view kEntryName = "sy_grpc_service";

  void bind(std::string_view name, const Entry& service, sy_registration* registration) {
    standard_services_.add(name, service, registration);
  }

  void unbind(sy_registration* registration) { standard_services_.remove(registration); }

  void exchange(std::span<sy_registration* const> gone, std::span<const sy_binding> come) {
    standard_services_.exchange(gone, come);
  }

  void end_soon(const sy_registration* registration, bool all) {
    live_calls_.ask(all, registration);
  }

  [[nodiscard]] Client& client() noexcept { return client_; }

private:
  /// What belongs to one of the host's loops.
  struct Share {
    Share(Instance& instance, std::uint32_t index);

    static void drain(void* self);
    static void abort(void* self);

    Instance& instance;
    Loop loop;
  };

  /// Something a drain does later, on loop 0.
  struct Alarm {
    Instance& instance;
    void (Instance::*ring)();
    std::uint64_t due = 0; ///< as sy_loops.now
    sy_timer* timer = nullptr;

    void start();
    void stop() noexcept;
    static void fired(void* self);
  };

  [[nodiscard]] sy_status
  walk(Loop& loop, bool external, switchyard::Connection& offered, const sy_connection_info& info);
  [[nodiscard]] sy_status
  hand_over(Server& server, switchyard::Connection& offered, const sy_connection_info& info);

  void begin_drain();
  void begin_shutdown();
  void wait_for_aborts();
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

  const Host host_;
  const sy_loops& loops_api_;
  const Config config_;
  const Metrics metrics_;
  const http2::Limits limits_[2]; ///< [external]
  ServiceTable services_;
  StandardServices standard_services_;
  Peers peers_;
  LiveCalls live_calls_;
  ServiceThreads service_threads_;
  const CallEnvironment environment_;
  Client client_;
  std::vector<std::unique_ptr<Share>> shares_; ///< by the host's numbers of loops
  // From start() to stop().
  std::unique_ptr<CompletionQueue> queue_;
  std::unique_ptr<Server> servers_[2][2]; ///< [external][direct]
  Descriptors handed_over_;
  std::atomic<std::size_t> to_drain_ = 0; ///< loops whose clients have not been told
  Alarm unary_alarm_;
  Alarm direct_alarm_;
  std::atomic<bool> direct_ended_ = false;
  bool draining_ = false;      ///< [control]
  bool shutting_down_ = false; ///< [control]
  Thread shutdown_;

  std::mutex mutex_;
  std::condition_variable changed_;
  std::size_t to_abort_; ///< loops that may still have connections
  bool shut_down_ = false;
  /// Loops that are not quiet yet, the client, and connections that were handed over.
  std::size_t busy_;
  std::size_t to_pass_ = 0; ///< posts of stop() that have not run
  std::optional<DrainDone> done_;
};

} // namespace switchyard::grpc
