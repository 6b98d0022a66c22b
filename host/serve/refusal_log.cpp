#include <host/serve/refusal_log.hpp>

#include <spdlog/spdlog.h>

#include <utility>

namespace switchyard::host {

namespace {

constexpr std::uint32_t kLinesPerSecond = 10; // of one reason on one loop
constexpr std::chrono::seconds kTellEvery{1};

/// Leaving before a byte is what port scanners and health checks do: nothing to act on.
spdlog::level::level_enum level_of(CloseReason reason) {
  return reason == CloseReason::OpeningAborted ? spdlog::level::debug : spdlog::level::info;
}

} // namespace

RefusalLog::RefusalLog(std::shared_ptr<spdlog::logger> log)
    : log_{std::move(log)}, sampler_{kLinesPerSecond} {}

RefusalLog::~RefusalLog() {
  tell_suppressed(Sampler::Clock::time_point::max());
}

bool RefusalLog::wanted(CloseReason reason) {
  if (!log_->should_log(level_of(reason))) return false;
  const auto now = Sampler::Clock::now();
  if (now - told_ >= kTellEvery) {
    told_ = now;
    tell_suppressed(now);
  }
  return sampler_.admit(to_string(reason), now);
}

void RefusalLog::write(CloseReason reason, std::string_view peer, std::string_view detail) {
  const auto level = level_of(reason);
  if (detail.empty()) {
    log_->log(level, "connection refused reason={} peer={}", to_string(reason), peer);
  } else {
    log_->log(
        level,
        "connection refused reason={} peer={} detail=\"{}\"",
        to_string(reason),
        peer,
        detail);
  }
}

void RefusalLog::tell_suppressed(Sampler::Clock::time_point now) {
  for (const auto& [kind, lines] : sampler_.suppressed(now))
    log_->info("connections refused, lines held back reason={} lines={}", kind, lines);
}

} // namespace switchyard::host
