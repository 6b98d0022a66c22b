#pragma once

#include <switchyard/metrics.h>

namespace switchyard::grpc {

/// What the plugin counts, as the host keeps it. Any thread.
class Metrics {
public:
  /// Declares them; throws Failure. [control], in init()
  Metrics(const sy_host* host, const sy_metrics& table);

  void call_began() const noexcept { add(calls_running_, 1); }

  /// `failed`: with another status than OK.
  void call_ended(bool failed) const noexcept {
    add(calls_running_, -1);
    add(calls_, 1);
    if (failed) add(failures_, 1);
  }

  /// To a method that is not there.
  void call_missed() const noexcept {
    add(calls_, 1);
    add(failures_, 1);
  }

  void connection_began() const noexcept { add(connections_, 1); }

  void connection_ended() const noexcept { add(connections_, -1); }

  void connection_handed_over() const noexcept { add(direct_, 1); }

  /// Ended by the frame walker.
  void cut_for_flood() const noexcept { add(floods_, 1); }

  void cut_for_violation() const noexcept { add(violations_, 1); }

private:
  void add(sy_metric* metric, double amount) const noexcept { table_.add(metric, amount); }

  const sy_metrics& table_;
  sy_metric* calls_;
  sy_metric* failures_;
  sy_metric* calls_running_;
  sy_metric* connections_;
  sy_metric* direct_;
  sy_metric* floods_;
  sy_metric* violations_;
};

} // namespace switchyard::grpc
