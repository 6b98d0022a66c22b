#pragma once

#include <switchyard/connection.hpp>
#include <switchyard/host.hpp>
#include <switchyard/task.hpp>

#include <host/limit/client_limit.hpp>
#include <host/log/log.hpp>
#include <host/proxy/proxy_config.hpp>
#include <host/serve/stages.hpp>
#include <host/services/instance_services.hpp>

#include <functional>
#include <list>
#include <memory>
#include <optional>
#include <string>

namespace switchyard::host {

/// A clear local port that speaks the internal gRPC of a server port: of each accepted connection
/// it makes one to the server, says there what it speaks, and copies both ways. It is to the loops
/// what a plugin is. Used by one thread, which may block in it.
class Proxy {
public:
  Proxy(ProxyConfig config, Log& log);

  /// Ends what is left at once.
  ~Proxy();
  Proxy(const Proxy&) = delete;
  Proxy& operator=(const Proxy&) = delete;

  /// Reads the certificates, talks with the server once, for dial_timeout at most, binds the port
  /// and serves it. Otherwise why not: a sentence. Once.
  [[nodiscard]] std::optional<std::string> start();

  /// Where it is bound: "ip:port", with the port that 0 became. After start().
  [[nodiscard]] std::string address() const;

private:
  struct Session;

  [[nodiscard]] LoopStages& loop() const noexcept { return *loops_.front(); }

  [[nodiscard]] std::optional<std::string> bind();
  [[nodiscard]] sy_dial_options way() const noexcept;
  [[nodiscard]] std::string why_closed(const switchyard::Connection& connection) const;
  [[nodiscard]] Task<> talk(std::optional<std::string>& problem) const;
  [[nodiscard]] Task<> carry(Session& session) const;
  void accept(Accepted accepted);
  void run_on_loop(const std::function<void()>& task) const;

  const ProxyConfig config_;
  const std::shared_ptr<const Config> stages_config_; // what the stages read of a plugins.toml
  const std::shared_ptr<spdlog::logger> log_;
  Loops loops_; // one
  const sy_loops loop_service_;
  Services services_;
  InstanceServices instance_;
  const Host host_;
  ClientLimit limit_;
  std::list<Session> sessions_; // the loop's
};

} // namespace switchyard::host
