#pragma once

#include <host/config/config.hpp>
#include <host/log/log.hpp>
#include <host/plugin/control_thread.hpp>
#include <host/plugin/staging.hpp>
#include <host/serve/loop_service.hpp>
#include <host/serve/stages.hpp>
#include <host/services/services.hpp>

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

namespace switchyard::grpc::test {

class Generation;

/// The host's part of a replacement: what the generations of a plugin share, and a listener on
/// loopback that gives each connection to the newest of them. Used by one thread.
class ReplacingHost {
public:
  /// Keeps copies of the plugins in `data_dir`.
  explicit ReplacingHost(const std::string& data_dir);

  /// No connection is left by then.
  ~ReplacingHost();
  ReplacingHost(const ReplacingHost&) = delete;
  ReplacingHost& operator=(const ReplacingHost&) = delete;

  /// Begins to accept, for `first`.
  void start(Generation& first);

  /// Where it listens on 127.0.0.1.
  [[nodiscard]] std::uint16_t port() const;

  /// Returns when every new connection goes to `next`, and all that were accepted before are with
  /// the generation they were for.
  void flip(Generation& next);

  /// Accepts no more.
  void close();

  /// Runs a [control] function of a plugin. Throws the sentence of a failure.
  void call(const std::string& function, const std::function<sy_status(sy_error* error)>& body);

  /// Ends the control thread, with what is thread_local there.
  void renew_control_thread();

  [[nodiscard]] host::LoopServices loop_services();

private:
  template <class Task>
  void on_each_loop(Task task);

  const host::Config config_;
  host::Log log_;
  host::ControlThread control_;
  host::Loops loops_;
  std::vector<std::unique_ptr<host::Acceptor>> acceptors_; ///< one a loop
  const sy_loops loop_service_;
  std::atomic<Generation*> newest_{nullptr};

public:
  host::Services services;
  host::StagingDirectory staging;
};

} // namespace switchyard::grpc::test
