#pragma once

#include <switchyard/metrics.hpp>

namespace switchyard::raft {

/// What the plugin counts. Made in init(). Any thread.
struct Metrics {
  explicit Metrics(const Host& host)
      : requests{host, "requests_total", "Requests of other servers received"},
        proposals{host, "proposals_total", "Commands put into the log by this server as leader"},
        applied{host, "applied_total", "Commands given to the state machine"},
        writes{host, "writes_total", "Batches made durable, with one sync each"},
        elections{host, "leaderships_total", "Times this server became leader"},
        snapshots_taken{host, "snapshots_taken_total", "Snapshots of the own state"},
        snapshots_received{host, "snapshots_received_total", "Snapshots received from a leader"},
        dials_failed{host, "dials_failed_total", "Connections to other servers that failed"},
        refused{host, "connections_refused_total", "Connections that may not speak raft"},
        violations{host, "violations_total", "Requests that contradict what is committed"},
        leader{host, "leader", "1 while this server leads"} {}

  Counter requests, proposals, applied, writes, elections, snapshots_taken, snapshots_received,
      dials_failed, refused, violations;
  Gauge leader;
};

} // namespace switchyard::raft
