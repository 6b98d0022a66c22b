#include "network.hpp"

#include <algorithm>

namespace switchyard::raft::simulation {

Nanoseconds Network::latency() {
  const auto most = world_.chance.of(weather.late) ? kSecond / 2 : weather.latency_max;
  return world_.chance.between(20 * kMicrosecond, most);
}

void Network::send(NodeId from, NodeId to, Lane lane, SendId send, Message message, Bytes request) {
  auto& connection = connections_[{from, to, lane}];
  if (!connection || connection->life != endpoints_.at(from)->life()) {
    connection = std::make_shared<Connection>();
    connection->from = from;
    connection->to = to;
    connection->lane = lane;
    connection->life = endpoints_.at(from)->life();
  }
  auto exchange = std::make_shared<Exchange>(Exchange{send, std::move(message), {}, false});
  connection->exchanges.push_back(exchange);
  const auto there = std::max(connection->last_there, world_.now() + latency());
  connection->last_there = there;
  world_.after(
      there - world_.now(),
      [this,
       held = connection,
       exchange,
       bytes = std::make_shared<const Bytes>(std::move(request))] {
        deliver(held, exchange, bytes);
      });
}

void Network::deliver(
    const std::shared_ptr<Connection>& connection,
    const std::shared_ptr<Exchange>& exchange,
    const std::shared_ptr<const Bytes>& request) {
  auto& to = *endpoints_.at(connection->to);
  if (connection->broken) {
    // Given up by the sender, and on the wire all the same.
    if (to.up() && world_.chance.of(0.3)) to.receive(request, nullptr, nullptr);
    return;
  }
  if (blocked_.contains({connection->from, connection->to}) || !to.up()) return cut(connection);
  if (world_.chance.of(weather.again)) {
    world_.after(world_.chance.between(0, kSecond), [this, id = connection->to, request] {
      if (endpoints_.at(id)->up()) endpoints_.at(id)->receive(request, nullptr, nullptr);
    });
  }
  if (world_.chance.of(weather.cut)) return cut(connection);
  if (!to.receive(request, connection, exchange)) cut(connection);
}

void Network::answer(const std::shared_ptr<Connection>& connection) {
  while (!connection->exchanges.empty() && connection->exchanges.front()->answered) {
    const auto exchange = connection->exchanges.front();
    connection->exchanges.pop_front();
    const auto back = std::max(connection->last_back, world_.now() + latency());
    connection->last_back = back;
    world_.after(back - world_.now(), [this, connection, exchange] {
      auto& from = *endpoints_.at(connection->from);
      if (from.life() != connection->life || !from.up()) return;
      const bool lost = connection->broken ||
                        blocked_.contains({connection->to, connection->from}) ||
                        world_.chance.of(weather.cut_back);
      if (!lost) return from.answered(exchange);
      if (world_.chance.of(0.5)) {
        exchange->answer.resize(world_.chance.below(exchange->answer.size()));
        from.answered(exchange); // what has come of it is no whole answer
      } else {
        from.failed(exchange->send);
      }
      cut(connection);
    });
  }
}

void Network::cut(const std::shared_ptr<Connection>& connection) {
  if (connection->broken) return;
  connection->broken = true;
  const Key key{connection->from, connection->to, connection->lane};
  if (const auto at = connections_.find(key);
      at != connections_.end() && at->second == connection) {
    connections_.erase(at);
  }
  // Sometimes the end is noticed, sometimes only a time-out tells.
  const auto delay = world_.chance.of(0.5) ? latency() : world_.chance.between(0, kSecond / 2);
  world_.after(delay, [this, connection, exchanges = std::move(connection->exchanges)] {
    for (const auto& exchange : exchanges) {
      auto& from = *endpoints_.at(connection->from);
      if (from.life() == connection->life && from.up()) from.failed(exchange->send);
    }
  });
  connection->exchanges.clear();
}

void Network::drop(NodeId node) {
  std::vector<std::shared_ptr<Connection>> gone;
  for (const auto& [key, connection] : connections_) {
    if (connection->from == node || connection->to == node) gone.push_back(connection);
  }
  for (const auto& connection : gone)
    cut(connection);
}

} // namespace switchyard::raft::simulation
