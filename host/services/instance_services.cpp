#include <host/services/failure.hpp>
#include <host/services/instance_services.hpp>

#include <algorithm>
#include <array>

namespace switchyard::host {
namespace {

void write_log(const sy_host* host, sy_log_level level, sy_string line) noexcept {
  const auto& services = InstanceServices::of(host);
  if (!services.shared.log.enabled(level)) return;

  // One line stays one line, whatever a peer has made the plugin say.
  std::array<char, kLogLineMax> clean;
  const auto size = std::min(line.size, clean.size());
  std::transform(line.data, line.data + size, clean.begin(), [](char c) {
    return static_cast<unsigned char>(c) < 0x20 || c == 0x7f ? ' ' : c;
  });
  services.shared.log.write(services.plugin, std::min(level, SY_LOG_ERROR), {clean.data(), size});
}

std::uint32_t log_enabled(const sy_host* host, sy_log_level level) noexcept {
  return InstanceServices::of(host).shared.log.enabled(level) ? 1 : 0;
}

const void* service(const sy_host* host, const char* id) noexcept {
  const auto& loops = InstanceServices::of(host).loops;
  const std::string_view wanted{id};
  if (wanted == SY_LOOPS) return loops.loops;
  if (wanted == SY_DIAL) return loops.dial;
  if (wanted == SY_THREADS) return &threads_table();
  if (wanted == SY_METRICS) return &metrics_table();
  if (wanted == SY_INTERFACES) return &interfaces_table();
  if (wanted == SY_JOURNAL) return &journal_table();
  return nullptr;
}

void count(std::string& text, std::uint64_t number, std::string_view what) {
  if (number == 0) return;
  if (!text.empty()) text += ", ";
  text += std::to_string(number) + ' ';
  text += what;
  if (number != 1) text += 's';
}

} // namespace

InstanceServices::InstanceServices(
    Services& shared_,
    const LoopServices& loop_services,
    std::string plugin_,
    std::vector<std::string> required_)
    : shared{shared_},
      loops{loop_services},
      plugin{std::move(plugin_)},
      required{std::move(required_)},
      host{
          .struct_size = sizeof(sy_host),
          .reserved = 0,
          .host_data = this,
          .log = write_log,
          .log_enabled = log_enabled,
          .service = service} {}

InstanceServices::~InstanceServices() {
  shared.journal.forget(this);
  shared.metrics.withdraw(this);
}

bool InstanceServices::connection_opened() noexcept {
  if (!trial_opened()) return false;
  taken.fetch_add(1, std::memory_order_relaxed);
  return true;
}

bool InstanceServices::trial_opened() noexcept {
  // Raised before the look at `draining`, and drain sets that before it looks at the count: one of
  // the two sees the other.
  connections.fetch_add(1);
  if (!draining) return true;
  connection_closed();
  return false;
}

void InstanceServices::cancel_dials() noexcept {
  // A dial is counted before the look at `draining`: one that is not seen here is refused.
  if (dials != 0 && loops.cancel_dials != nullptr) loops.cancel_dials(*this);
}

bool InstanceServices::connections_ended(std::chrono::steady_clock::time_point deadline) {
  std::unique_lock lock{shared.ends.mutex};
  return shared.ends.wait_until(lock, deadline, [&] { return connections == 0; });
}

bool InstanceServices::loops_left(std::chrono::steady_clock::time_point deadline) {
  if (loops.begin_turns != nullptr) loops.begin_turns(*this);
  std::unique_lock lock{shared.ends.mutex};
  return shared.ends.wait_until(lock, deadline, [&] { return turns == 0; });
}

void InstanceServices::close_connections() noexcept {
  if (loops.close_connections != nullptr) loops.close_connections(*this);
}

bool InstanceServices::dials_ended(std::chrono::steady_clock::time_point deadline) {
  std::unique_lock lock{shared.ends.mutex};
  return shared.ends.wait_until(lock, deadline, [&] { return dials == 0; });
}

sy_status InstanceServices::may_use(std::string_view id, sy_error* error) const noexcept {
  if (phase == ServicePhase::Stopped) return fail(error, SY_CANCELLED, "the plugin has stopped");
  if (std::ranges::find(required, id) != required.end()) return SY_OK;
  return fail(
      error,
      SY_NOT_FOUND,
      "the manifest does not require " + std::string{id} + ": name it under \"requires\"");
}

std::string InstanceServices::leftovers(std::chrono::steady_clock::time_point deadline) {
  {
    std::unique_lock lock{shared.ends.mutex};
    shared.ends.wait_until(lock, deadline, [&] {
      return connections == 0 && dials == 0 && timers == 0 && posts == 0;
    });
  }
  std::string left;
  count(left, connections, "connection");
  count(left, dials, "dial");
  count(left, timers, "timer");
  count(left, posts, "post");
  count(left, threads.reap(deadline), "thread");
  count(left, shared.interfaces.close_all(this), "lease");
  count(left, shared.journal.running(this), "call");
  return left;
}

} // namespace switchyard::host
