#include <host/listen/endpoint.hpp>
#include <host/serve/stages.hpp>

#include <string>
#include <utility>

namespace switchyard::host {

LoopStages::LoopStages(
    std::uint32_t index,
    const Config& config_,
    std::shared_ptr<spdlog::logger> log,
    Resolver::LookUp look_up)
    : config{config_},
      refusals{std::move(log)},
      loop{index, config_.limits.spin},
      connections{loop},
      openings{loop, config_.limits.handshake_timeout},
      resolver{loop, std::move(look_up)} {}

void LoopStages::refuse(CloseReason reason, const Peer& peer, std::string_view detail) {
  connections.counters().count_accepted();
  connections.counters().count_closed(reason);
  if (refusals.wanted(reason)) refusals.write(reason, to_string(peer), detail);
}

void LoopStages::refuse(CloseReason reason, const Peer& peer, Connection& connection) {
  if (refusals.wanted(reason)) {
    const auto* session = connection.tls();
    refusals.write(reason, to_string(peer), session != nullptr ? session->error() : std::string{});
  }
  connection.close(reason);
}

} // namespace switchyard::host
