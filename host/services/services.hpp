#pragma once

#include <switchyard/dial.h>
#include <switchyard/loops.h>

#include <host/services/interfaces.hpp>
#include <host/services/journal.hpp>
#include <host/services/metrics.hpp>
#include <host/services/plugin_log.hpp>
#include <host/services/quiescence.hpp>

#include <chrono>
#include <utility>

namespace switchyard::host {

/// What all plugin instances share. One a process; older than the first instance, younger than
/// none.
struct Services {
  /// `removal_limit`: how long a removal from the journal waits; less than limits.control_timeout,
  /// so that it can say what it has waited for.
  Services(PluginLog log_, std::chrono::milliseconds removal_limit)
      : log{std::move(log_)}, journal{removal_limit} {}

  const PluginLog log;
  Metrics metrics;
  Interfaces interfaces;
  Journal journal;
  Quiescence ends; ///< of what InstanceServices counts
};

struct InstanceServices;

/// The services that the event loops give: null where there is none. A function of these tables
/// finds `context` and the instance through its `host`: InstanceServices::of(host).
struct LoopServices {
  const sy_loops* loops = nullptr;
  const sy_dial* dial = nullptr;
  void* context = nullptr;

  /// Ends the dials of an instance that drains; each is told on its loop. Any thread.
  void (*cancel_dials)(InstanceServices& owner) = nullptr;

  /// Closes what connections an instance has that has ended, each on its loop. Any thread.
  void (*close_connections)(InstanceServices& owner) = nullptr;

  /// Counts a turn of each loop in `owner.turns`, and ends it on that loop. Any thread.
  void (*begin_turns)(InstanceServices& owner) = nullptr;
};

} // namespace switchyard::host
