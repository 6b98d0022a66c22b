#pragma once

#include <switchyard/host.hpp>

namespace switchyard::grpc {

class LiveCalls;
class Metrics;
class Peers;
class ServiceTable;
class ServiceThreads;

/// What all calls of an instance share.
struct CallEnvironment {
  Host host;
  const sy_loops& loops;
  const ServiceTable& services;
  const Peers& peers;
  const Metrics& metrics;
  LiveCalls& live;
  ServiceThreads& threads;
};

} // namespace switchyard::grpc
