#pragma once

#include <host/connection/close_reason.hpp>
#include <host/log/sampler.hpp>

#include <spdlog/fwd.h>

#include <chrono>
#include <memory>
#include <string_view>

namespace switchyard::host {

/// Writes down connections that no plugin gets, sampled by reason. One loop's.
class RefusalLog {
public:
  explicit RefusalLog(std::shared_ptr<spdlog::logger> log);
  ~RefusalLog();

  /// `peer` and `detail` (what TLS said; may be empty) go into the line. The caller has asked
  /// wanted().
  void write(CloseReason reason, std::string_view peer, std::string_view detail);

  /// False when a line for `reason` would not be written: asked before its parts are put together.
  [[nodiscard]] bool wanted(CloseReason reason);

private:
  void tell_suppressed(Sampler::Clock::time_point now);

  std::shared_ptr<spdlog::logger> log_;
  Sampler sampler_;
  Sampler::Clock::time_point told_{};
};

} // namespace switchyard::host
