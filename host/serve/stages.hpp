#pragma once

#include <host/connection/owner.hpp>
#include <host/listen/acceptor.hpp>
#include <host/loop/loop.hpp>
#include <host/plugin/dispatch.hpp>
#include <host/serve/refusal_log.hpp>
#include <host/serve/resolver.hpp>
#include <host/sniff/opening_deadlines.hpp>
#include <host/tls/contexts.hpp>

#include <memory>
#include <string_view>
#include <vector>

namespace switchyard::host {

struct Dial;

/// One loop with all that stays on it.
struct LoopStages {
  LoopStages(
      std::uint32_t index,
      std::shared_ptr<const Config> config,
      std::shared_ptr<spdlog::logger> log,
      Resolver::LookUp look_up = Resolver::ask_system);

  using Peer = boost::asio::ip::tcp::endpoint;

  /// Counts and logs a connection that no plugin gets: one that was closed as soon as it was
  /// accepted, or one that was on its way and is closed here. `peer` is as accept said it: a socket
  /// whose peer has reset it does not know any more.
  void refuse(CloseReason reason, const Peer& peer, std::string_view detail = {});
  void refuse(CloseReason reason, const Peer& peer, Connection& connection);

  /// The position in config->listeners of the one that `acceptor` is of.
  [[nodiscard]] std::size_t listener_of(const Acceptor& acceptor) const;

  std::shared_ptr<const Config> config; ///< replaced, on the loop, by a reload
  RefusalLog refusals;
  Loop loop;
  ConnectionOwner connections;
  OpeningDeadlines openings;
  Resolver resolver;
  std::vector<Dial*> dials;                         ///< of all plugins, in no order
  std::vector<std::shared_ptr<Acceptor>> acceptors; ///< parallel to config->listeners
  std::vector<std::string_view> listener_names; ///< the same; the texts live as long as the loop
  std::shared_ptr<const TlsContexts> tls; ///< replaced, on the loop, when certificates are reloaded
  std::shared_ptr<const Dispatch> dispatch; ///< the same when a plugin is swapped
  bool on_trial = false; ///< a plugin is being given a trial connection: what it adopts is of that
};

/// All loops, in the order of their indexes.
using Loops = std::vector<std::unique_ptr<LoopStages>>;

} // namespace switchyard::host
