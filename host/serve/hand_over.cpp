#include <host/crash/boundary.hpp>
#include <host/plugin/instance.hpp>
#include <host/serve/hand_over.hpp>

#include <boost/asio/post.hpp>

#include <utility>

namespace switchyard::host {

namespace {

using Taken = boost::system::result<void, CloseReason>;

/// The descriptor form: once it is taken the connection is known by its hang-up alone.
Taken serve_descriptor(Connection& connection, std::uint32_t protocol, const Instance& plugin) {
  const BoundaryCrossed crossed{"serve_descriptor()", plugin.name()};
  const Connection::Ptr kept{&connection}; // detach() gives up the reference of whoever serves it
  sy_descriptor descriptor{};
  descriptor.struct_size = sizeof descriptor;
  if (connection.detach(descriptor) != SY_OK) return CloseReason::AtCapacity;
  if (plugin.api().serve_descriptor(plugin.handle(), protocol, &descriptor) != SY_OK) {
    count_error(plugin.services(), connection.id());
    connection.take_back(descriptor);
    return CloseReason::Refused;
  }
  return {};
}

/// `connection` has a place with `plugin`.
Taken serve_protocol(Connection& connection, std::uint32_t protocol, const Instance& plugin) {
  const auto mode = plugin.manifest()->protocols[protocol].mode;
  if (mode == ServeMode::Descriptor && connection.tls() == nullptr &&
      plugin.api().serve_descriptor != nullptr) // an isolated one gets the descriptor elsewhere
    return serve_descriptor(connection, protocol, plugin);
  const BoundaryCrossed crossed{"serve()", plugin.name()};
  if (plugin.api().serve(plugin.handle(), protocol, &connection) != SY_OK) {
    count_error(plugin.services(), connection.id());
    connection.leave_plugin();
    return CloseReason::Refused;
  }
  return {};
}

void serve_trial(
    LoopStages& loop, FileDescriptor socket, std::uint32_t index, const Instance& plugin) {
  auto place = take_trial_place(plugin.services());
  if (!place) return;
  auto& connections = loop.connections;
  const auto made =
      Connection::open(connections, std::move(socket).release(), {}, connections.next_trial_id());
  if (!made) return;
  auto& connection = **made;
  const auto& protocol = plugin.manifest()->protocols[index];
  connection.route_to(std::move(place), protocol.name, protocol.tag ? *protocol.tag : -1);
  loop.on_trial = true;
  const auto taken = serve_protocol(connection, index, plugin);
  loop.on_trial = false;
  if (!taken) connection.close(taken.error());
}

} // namespace

Taken hand_over(Connection& connection, const Route& route, const Dispatch& dispatch) {
  const auto& plugin = *dispatch.plugins[route.plugin];
  auto place = take_place(plugin.services());
  if (!place) return CloseReason::Drained;
  // Its name lives in the manifest, which lives as long as a connection of the plugin.
  const auto& protocol = plugin.manifest()->protocols[route.index].name;
  connection.route_to(std::move(place), protocol, route.tag ? *route.tag : -1);
  return serve_protocol(connection, route.index, plugin);
}

void hand_over_trial(
    LoopStages& loop, FileDescriptor socket, std::uint32_t protocol, const Instance& plugin) {
  auto& services = plugin.services();
  services.posts.fetch_add(1, std::memory_order_relaxed); // so that it is there when this runs
  boost::asio::post(
      loop.loop.executor(),
      [&loop, &plugin, &services, protocol, socket = std::move(socket)]() mutable {
        serve_trial(loop, std::move(socket), protocol, plugin);
        services.ended(services.posts);
      });
}

} // namespace switchyard::host
