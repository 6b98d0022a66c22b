#include <host/crash/boundary.hpp>
#include <host/plugin/instance.hpp>
#include <host/serve/hand_over.hpp>

namespace switchyard::host {

namespace {

/// The descriptor form: once it is taken the connection is known by its hang-up alone.
boost::system::result<void, CloseReason>
serve_descriptor(Connection& connection, const Route& route, const Instance& plugin) {
  const BoundaryCrossed crossed{"serve_descriptor()", plugin.name()};
  const Connection::Ptr kept{&connection}; // detach() gives up the reference of whoever serves it
  sy_descriptor descriptor{};
  descriptor.struct_size = sizeof descriptor;
  if (connection.detach(descriptor) != SY_OK) return CloseReason::AtCapacity;
  if (plugin.api().serve_descriptor(plugin.handle(), route.index, &descriptor) != SY_OK) {
    count_error(plugin.services());
    connection.take_back(descriptor);
    return CloseReason::Refused;
  }
  return {};
}

} // namespace

boost::system::result<void, CloseReason>
hand_over(Connection& connection, const Route& route, const Dispatch& dispatch) {
  const auto& plugin = *dispatch.plugins[route.plugin];
  auto place = take_place(plugin.services());
  if (!place) return CloseReason::Drained;
  // Its name lives in the manifest, which lives as long as a connection of the plugin.
  const auto& protocol = plugin.manifest()->protocols[route.index].name;
  connection.route_to(std::move(place), protocol, route.tag ? *route.tag : -1);
  if (route.mode == ServeMode::Descriptor && connection.tls() == nullptr &&
      plugin.api().serve_descriptor != nullptr) // an isolated one gets the descriptor elsewhere
    return serve_descriptor(connection, route, plugin);
  const BoundaryCrossed crossed{"serve()", plugin.name()};
  if (plugin.api().serve(plugin.handle(), route.index, &connection) != SY_OK) {
    count_error(plugin.services());
    connection.leave_plugin();
    return CloseReason::Refused;
  }
  return {};
}

} // namespace switchyard::host
