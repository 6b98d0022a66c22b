#pragma once

#include <switchyard/plugin.hpp>

#include <plugins/raft/driver/inbound.hpp>
#include <plugins/raft/driver/outbounds.hpp>
#include <plugins/raft/driver/renewal.hpp>

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <mutex>
#include <string_view>
#include <vector>

namespace switchyard::raft {

/// One generation of the plugin. Entered as Plugin<Instance> says.
class Instance final {
public:
  Instance(Host host, std::string_view config);
  ~Instance();
  Instance(const Instance&) = delete;
  Instance& operator=(const Instance&) = delete;

  static void check_config(std::string_view config);
  void activate();
  [[nodiscard]] sy_status serve(std::uint32_t protocol, Connection& offered);
  void health();
  void drain(std::chrono::nanoseconds deadline, DrainDone done);
  void abort_all();
  void stop();
  void quiesce(const StateSink& sink);
  void take_over(const State& state);
  [[nodiscard]] const void* query(std::string_view id);

  // What Registrar<Instance> asks for.
  using Entry = sy_raft_machine;
  static constexpr std::string_view kEntryName = "sy_raft_machine";

  void bind(std::string_view key, const Entry& machine, sy_registration* registration);
  void unbind(sy_registration* registration);
  void exchange(std::span<sy_registration* const> gone, std::span<const sy_binding> come);

  [[nodiscard]] Node& node() noexcept { return node_; }

  /// Lets `work` end the node and begin it anew, on a thread of its own. `done` is told, unless it
  /// returns anything but SY_OK. Any thread.
  sy_status begin_anew(std::function<void(Node&)> work, sy_raft_done done, void* context);

private:
  [[nodiscard]] std::shared_ptr<const Machine>
  made(std::string_view key, const sy_raft_machine& machine, sy_registration* registration) const;
  void open();
  void close_connections();
  void pass_loops();

  const Host host_;
  const Loops loops_;
  const sy_journal& journal_;
  const Config config_;
  const Metrics metrics_;
  Outbounds outbounds_;
  Node node_;
  Worker renewals_;
  std::atomic<bool> renewing_ = false;
  std::vector<Inbound::Shared> inbounds_; ///< by loop
  std::atomic<bool> draining_ = false;
  std::atomic<bool> quiet_ = false; ///< another version goes on, or is about to

  std::mutex mutex_;
  std::condition_variable changed_;
  std::size_t to_pass_ = 0;
};

} // namespace switchyard::raft
