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

void LoopStages::refuse(
    CloseReason reason, const boost::asio::ip::address& peer, std::string_view detail) {
  connections.counters().count_accepted();
  connections.counters().count_closed(reason);
  if (refusals.wanted(reason)) refusals.write(reason, peer.to_string(), detail);
}

void LoopStages::refuse(CloseReason reason, Connection& connection) {
  if (refusals.wanted(reason)) {
    sy_connection_info info{};
    info.struct_size = sizeof info;
    connection.describe(info);
    refusals.write(
        reason,
        info.remote,
        connection.tls() != nullptr ? connection.tls()->error() : std::string{});
  }
  connection.close(reason);
}

} // namespace switchyard::host
