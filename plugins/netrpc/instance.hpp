#pragma once

#include <switchyard/plugin.hpp>

#include <plugins/netrpc/client_pool.hpp>
#include <plugins/netrpc/config.hpp>
#include <plugins/netrpc/endpoint_table.hpp>
#include <plugins/netrpc/invocation.hpp>
#include <plugins/netrpc/local_call.hpp>
#include <plugins/netrpc/loop.hpp>
#include <plugins/netrpc/metrics.hpp>

#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

namespace switchyard::netrpc {

/// One generation of the plugin: a Loop for each of the host's, and what they share. Entered as
/// Plugin<Instance> says.
class Instance final : public Loop::Owner {
public:
  Instance(Host host, std::string_view config);
  ~Instance();
  Instance(const Instance&) = delete;
  Instance& operator=(const Instance&) = delete;

  static void check_config(std::string_view config);
  [[nodiscard]] sy_status serve(std::uint32_t protocol, switchyard::Connection& offered);
  void drain(std::chrono::nanoseconds deadline, DrainDone done);
  void abort_all();

  /// Throws Failure when endpoints do not answer.
  void stop();

  [[nodiscard]] const void* query(std::string_view id);

  // What Registrar<Instance> asks for.
  using Entry = sy_netrpc_endpoint;
  static constexpr std::string_view kEntryName = "sy_netrpc_endpoint";

  void bind(std::string_view key, const Entry& entry, sy_registration* registration);

  void unbind(sy_registration* registration) { endpoints_.remove(registration); }

  void exchange(std::span<sy_registration* const> gone, std::span<const sy_binding> come);

  /// An endpoint that answers at once does so, told or not.
  void end_soon(const sy_registration* registration, bool all);

  /// As sy_netrpc_endpoints.invoke. Any thread.
  sy_status invoke(std::string_view method, sy_bytes body, sy_netrpc_done done, void* context) {
    return local_calls_.invoke(endpoints_, method, body, done, context);
  }

  /// As sy_netrpc_client.call. Any thread.
  sy_status call(
      const sy_netrpc_request& request,
      sy_netrpc_done done,
      void* context,
      sy_netrpc_invocation** invocation);

  /// As sy_netrpc_client.cancel. A call of the generation before ends with that one's drain. Any
  /// thread.
  void cancel(sy_netrpc_invocation& invocation) const {
    if (invocation.provider == this) invocation.cancel();
  }

private:
  /// What belongs to one of the host's loops.
  struct Share {
    Share(Instance& instance, const sy_dial* dial, std::uint32_t index);

    static void drain(void* self);
    static void abort(void* self);

    Loop loop;
    ClientPool clients;
  };

  void begin_drain();
  void loop_is_quiet() override;
  static void passed(void* self);

  const Host host_;
  EndpointTable endpoints_;
  LocalCalls local_calls_;
  const sy_loops& loops_api_;
  const Config config_;
  const Metrics metrics_;
  std::vector<std::unique_ptr<Share>> shares_; ///< by the host's numbers of loops

  std::mutex mutex_;
  std::condition_variable changed_;
  bool draining_ = false;
  std::size_t busy_loops_;  ///< not quiet yet
  std::size_t to_pass_ = 0; ///< posts of stop() that have not run
  std::optional<DrainDone> done_;
};

} // namespace switchyard::netrpc
