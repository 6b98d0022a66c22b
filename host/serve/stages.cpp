#include <host/listen/endpoint.hpp>
#include <host/serve/stages.hpp>

#include <boost/assert.hpp>

#include <algorithm>
#include <string>
#include <utility>

namespace switchyard::host {

LoopStages::LoopStages(
    std::uint32_t index,
    std::shared_ptr<const Config> config_,
    std::shared_ptr<spdlog::logger> log,
    Resolver::LookUp look_up)
    : config{std::move(config_)},
      refusals{std::move(log)},
      loop{index, config->limits.spin},
      connections{loop},
      openings{loop, config->limits.handshake_timeout},
      resolver{loop, std::move(look_up)} {}

std::size_t LoopStages::listener_of(const Acceptor& acceptor) const {
  const auto found = std::ranges::find(acceptors, &acceptor, [](const auto& one) { return &*one; });
  BOOST_ASSERT(found != acceptors.end());
  return static_cast<std::size_t>(found - acceptors.begin());
}

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
