#pragma once

#include <switchyard/host.hpp>
#include <switchyard/plugin.h>

#include <plugins/netrpc/client_pool.hpp>
#include <plugins/netrpc/config.hpp>
#include <plugins/netrpc/endpoint_table.hpp>
#include <plugins/netrpc/local_call.hpp>
#include <plugins/netrpc/loop.hpp>
#include <plugins/netrpc/metrics.hpp>

#include <condition_variable>
#include <memory>
#include <mutex>
#include <vector>

/// One generation of the plugin: a Loop for each of the host's, and what they share.
struct sy_instance final : public switchyard::netrpc::Loop::Owner {
public:
  /// [control]
  sy_instance(const sy_host* host, std::string_view config);
  ~sy_instance();
  sy_instance(const sy_instance&) = delete;
  sy_instance& operator=(const sy_instance&) = delete;

  /// As sy_plugin.serve. [loop]
  sy_status serve(std::uint32_t protocol, sy_connection* connection);

  /// `done` is called once when everything has ended. [control]
  void drain(sy_drain_done done, void* context);

  /// [control]
  void abort_all();

  /// Throws Failure when endpoints do not answer. [control]
  void stop();

  /// As sy_registrar.end_soon. [control]
  void end_soon(const sy_registration* registration);

  /// As sy_netrpc_client.call. Any thread.
  sy_status call(
      const sy_netrpc_request& request,
      sy_netrpc_done done,
      void* context,
      sy_netrpc_invocation** invocation);

  switchyard::netrpc::EndpointTable endpoints;
  switchyard::netrpc::LocalCalls local_calls;

private:
  /// What belongs to one of the host's loops.
  struct Share {
    Share(sy_instance& instance, const sy_dial* dial, std::uint32_t index);

    static void drain(void* self);
    static void abort(void* self);

    switchyard::netrpc::Loop loop;
    switchyard::netrpc::ClientPool clients;
  };

  void begin_drain();
  void loop_is_quiet() override;
  static void passed(void* self);

  const switchyard::Host host_;
  const sy_loops& loops_api_;
  const switchyard::netrpc::Config config_;
  const switchyard::netrpc::Metrics metrics_;
  std::vector<std::unique_ptr<Share>> shares_; ///< by the host's numbers of loops

  std::mutex mutex_;
  std::condition_variable changed_;
  bool draining_ = false;
  std::size_t busy_loops_;  ///< not quiet yet
  std::size_t to_pass_ = 0; ///< posts of stop() that have not run
  sy_drain_done done_ = nullptr;
  void* done_context_ = nullptr;
};
