#pragma once

#include <host/serve/dial_service.hpp>
#include <host/serve/loop_service.hpp>
#include <host/serve/stages.hpp>
#include <host/services/instance_services.hpp>

#include <boost/asio/post.hpp>
#include <spdlog/spdlog.h>

#include <csignal>
#include <future>
#include <memory>
#include <utility>
#include <vector>

namespace switchyard::host {

/// What a plugin instance sees of the loops of a server: running loops and a sy_host that leads to
/// them.
class PluginFixture {
public:
  explicit PluginFixture(
      const Config& config, const Resolver::LookUp& look_up = Resolver::ask_system) {
    std::signal(SIGPIPE, SIG_IGN); // as run() does
    for (std::uint32_t i = 0; i < 2; ++i) {
      loops_.push_back(std::make_unique<LoopStages>(
          i,
          std::make_shared<const Config>(config),
          std::make_shared<spdlog::logger>("test"),
          look_up));
      loops_.back()->tls = *TlsContexts::load(config.tls ? &*config.tls : nullptr, {});
      loops_.back()->loop.start();
    }
    services_ = std::make_unique<InstanceServices>(
        shared_,
        LoopServices{
            &loop_service_,
            &kDialService,
            &loops_,
            &cancel_dials,
            &close_connections,
            &begin_turns},
        "test",
        std::vector<std::string>{});
  }

  ~PluginFixture() {
    run([this] { loops_[0]->connections.close_all(CloseReason::Drained); });
    for (const auto& stages : loops_)
      stages->loop.stop();
  }

  PluginFixture(const PluginFixture&) = delete;
  PluginFixture& operator=(const PluginFixture&) = delete;

  [[nodiscard]] const sy_host* host() const noexcept { return &services_->host; }

  [[nodiscard]] InstanceServices& services() noexcept { return *services_; }

  [[nodiscard]] const sy_loops& loops() const noexcept { return loop_service_; }

  /// Runs `task` on loop 0 and waits for it.
  template <class Task>
  void run(Task task) {
    std::promise<void> done;
    boost::asio::post(loops_[0]->loop.executor(), [&] {
      task();
      done.set_value();
    });
    done.get_future().wait();
  }

private:
  Loops loops_;
  const sy_loops loop_service_ = make_loop_service(2);
  Services shared_{
      PluginLog{[](auto, auto, auto) {}, [](auto) { return false; }},
      std::chrono::milliseconds{1'000}};
  std::unique_ptr<InstanceServices> services_;
};

} // namespace switchyard::host
