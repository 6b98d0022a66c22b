#pragma once

#include <switchyard/metrics.h>

#include <host/isolate/message.hpp>

#include <map>
#include <string>

namespace switchyard::host {

struct InstanceServices;

/// The metrics of an isolated plugin as the server shows them: what the process before has counted
/// stays. One thread.
class ShownMetrics {
public:
  /// Brings one to where that of the process stands. One that cannot be declared, for its name or
  /// because there are too many, is left out, as it would be in this process.
  void follow(InstanceServices& services, const Counted& counted);

  /// The process has ended, and its gauges with it; the next one counts from nothing.
  void begin_anew();

private:
  struct Shown {
    sy_metric* metric = nullptr;
    bool counter = false;
    double value = 0; ///< of this process
  };

  std::map<std::string, Shown> shown_; ///< by name
};

} // namespace switchyard::host
