#pragma once

#include "world.hpp"

#include <plugins/raft/core/action.hpp>

#include <deque>
#include <memory>
#include <set>

namespace switchyard::raft::simulation {

/// How bad the network is. Probabilities are for one message.
struct Weather {
  Nanoseconds latency_max = 2 * kMillisecond;
  double late = 0;     ///< it takes much longer than that
  double cut = 0;      ///< the connection breaks; what is under way may still arrive
  double cut_back = 0; ///< it breaks in the middle of an answer
  double again = 0;    ///< a request arrives a second time, perhaps much later
};

/// What a connection carries. Heartbeats and votes have ways of their own.
enum class Lane : std::uint8_t { Heartbeat, Log, Vote };

using Bytes = std::vector<std::byte>;

/// A request of a connection, until it is answered.
struct Exchange {
  SendId send = 0;
  Message message;
  Bytes answer;
  bool answered = false;
};

/// One connection, in which requests and answers keep their order.
struct Connection {
  NodeId from = 0;
  NodeId to = 0;
  Lane lane = Lane::Log;
  std::uint64_t life = 0; ///< of the sender: an earlier one does not hear of it any more
  bool broken = false;
  Nanoseconds last_there = 0;
  Nanoseconds last_back = 0;
  std::deque<std::shared_ptr<Exchange>> exchanges; ///< not answered yet, as the sender knows
};

/// The ends of the network.
class Endpoint {
public:
  /// A request has arrived; `connection` is null for one whose answer nobody waits for. False if
  /// the connection is to be closed.
  virtual bool receive(
      const std::shared_ptr<const Bytes>& request,
      std::shared_ptr<Connection> connection,
      std::shared_ptr<Exchange> exchange) = 0;

  virtual void answered(std::shared_ptr<const Exchange> exchange) = 0;
  virtual void failed(SendId send) = 0;

  [[nodiscard]] virtual bool up() const = 0;
  [[nodiscard]] virtual std::uint64_t life() const = 0;

protected:
  ~Endpoint() = default;
};

/// Connections between all nodes, as bytes, in both versions of weather.
class Network {
public:
  explicit Network(World& world) : world_{world} {}

  void attach(NodeId node, Endpoint& endpoint) { endpoints_[node] = &endpoint; }

  void send(NodeId from, NodeId to, Lane lane, SendId send, Message message, Bytes request);

  /// `exchange` has its answer, which goes back when those before it are answered.
  void answer(const std::shared_ptr<Connection>& connection);

  /// Nothing gets from one to the other any more; the way back is another thing.
  void block(NodeId from, NodeId to) { blocked_.emplace(from, to); }

  void unblock() { blocked_.clear(); }

  /// The process of that node is gone.
  void drop(NodeId node);

  Weather weather;

private:
  using Key = std::tuple<NodeId, NodeId, Lane>;

  void cut(const std::shared_ptr<Connection>& connection);
  void deliver(
      const std::shared_ptr<Connection>& connection,
      const std::shared_ptr<Exchange>& exchange,
      const std::shared_ptr<const Bytes>& request);
  [[nodiscard]] Nanoseconds latency();

  World& world_;
  std::map<NodeId, Endpoint*> endpoints_;
  std::map<Key, std::shared_ptr<Connection>> connections_;
  std::set<std::pair<NodeId, NodeId>> blocked_;
};

} // namespace switchyard::raft::simulation
