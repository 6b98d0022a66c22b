#pragma once

#include <switchyard/boundary.hpp>
#include <switchyard/bytes.hpp>
#include <switchyard/dial.h>
#include <switchyard/host.h>
#include <switchyard/interfaces.h>
#include <switchyard/journal.h>
#include <switchyard/loops.h>
#include <switchyard/metrics.h>
#include <switchyard/threads.h>

#include <string>
#include <string_view>

namespace switchyard {

/// The id of a service by the type of its table.
template <class Table>
inline constexpr const char* kServiceId = nullptr;
template <>
inline constexpr const char* kServiceId<sy_dial> = SY_DIAL;
template <>
inline constexpr const char* kServiceId<sy_interfaces> = SY_INTERFACES;
template <>
inline constexpr const char* kServiceId<sy_journal> = SY_JOURNAL;
template <>
inline constexpr const char* kServiceId<sy_loops> = SY_LOOPS;
template <>
inline constexpr const char* kServiceId<sy_metrics> = SY_METRICS;
template <>
inline constexpr const char* kServiceId<sy_threads> = SY_THREADS;

/// The host, as one plugin instance sees it. A pointer: copy it. Valid until the instance is gone.
/// Any thread.
class Host {
public:
  /// `host` must not be null.
  explicit Host(const sy_host* host) noexcept : host_{host} {}

  [[nodiscard]] const sy_host* get() const noexcept { return host_; }

  /// Writes a constant phrase, then key=value, under the plugin's name.
  void log(sy_log_level level, std::string_view line) const noexcept {
    host_->log(host_, level, to_c(line));
  }

  /// Ask before composing a line that is seldom written.
  [[nodiscard]] bool logs(sy_log_level level) const noexcept {
    return host_->log_enabled(host_, level) != 0;
  }

  /// Null when this host has no such service.
  template <class Table>
  [[nodiscard]] const Table* find() const noexcept {
    static_assert(kServiceId<Table> != nullptr, "not the table of a service of the host");
    return static_cast<const Table*>(host_->service(host_, kServiceId<Table>));
  }

  /// Throws Failure when this host has no such service.
  template <class Table>
  [[nodiscard]] const Table& require() const {
    if (const auto* table = find<Table>()) return *table;
    throw Failure{
        SY_UNSUPPORTED,
        std::string{"this host does not offer "} + kServiceId<Table> + "; use a newer one"};
  }

private:
  const sy_host* host_;
};

/// at_boundary for functions that have nobody to report to: what escapes `body` is logged.
template <class Body>
void logged_at_boundary(const Host& host, Body&& body) noexcept {
  auto error = make_error();
  if (at_boundary(&error, std::forward<Body>(body)) != SY_OK) {
    host.log(SY_LOG_ERROR, static_cast<const char*>(error.text));
  }
}

} // namespace switchyard
