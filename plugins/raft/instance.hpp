#pragma once

#include <switchyard/plugin.h>

#include <plugins/raft/driver/inbound.hpp>
#include <plugins/raft/driver/outbounds.hpp>

#include <condition_variable>
#include <memory>
#include <mutex>
#include <vector>

/// One generation of the plugin.
struct sy_instance final {
public:
  /// [control]
  sy_instance(const sy_host* host, std::string_view config);
  ~sy_instance();
  sy_instance(const sy_instance&) = delete;
  sy_instance& operator=(const sy_instance&) = delete;

  /// [control]
  void activate();
  void drain(sy_drain_done done, void* context);
  void abort_all();
  void stop();

  /// As sy_plugin.serve. [loop]
  sy_status serve(sy_connection* connection);

  [[nodiscard]] switchyard::raft::Node& node() noexcept { return node_; }

  [[nodiscard]] const switchyard::Host& host() const noexcept { return host_; }

  [[nodiscard]] const sy_journal& journal() const noexcept { return journal_; }

private:
  void close_connections();
  void pass_loops();

  const switchyard::Host host_;
  const switchyard::Loops loops_;
  const sy_journal& journal_;
  const switchyard::raft::Config config_;
  const switchyard::raft::Metrics metrics_;
  switchyard::raft::Outbounds outbounds_;
  switchyard::raft::Node node_;
  std::vector<switchyard::raft::Inbound::Shared> inbounds_; ///< by loop
  std::atomic<bool> draining_ = false;

  std::mutex mutex_;
  std::condition_variable changed_;
  std::size_t to_pass_ = 0;
};
