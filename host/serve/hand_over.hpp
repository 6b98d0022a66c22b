#pragma once

#include <host/plugin/file_descriptor.hpp>
#include <host/serve/stages.hpp>

#include <boost/system/result.hpp>

#include <cstdint>

namespace switchyard::host {

/// Gives `connection` to the plugin that `route` of `dispatch` leads to, in the way its manifest
/// asks for; from then on it needs neither of the two. Without a value
/// the connection is the plugin's; otherwise it is still the caller's, to be closed for that
/// reason.
[[nodiscard]] boost::system::result<void, CloseReason>
hand_over(Connection& connection, const Route& route, const Dispatch& dispatch);

/// Gives `socket`, one end of a pair, to `plugin` as a connection of its `protocol`-th protocol, on
/// `loop`, which may not have routes to it yet. It is in no count. Any thread; the plugin is not
/// stopped before it has been given.
void hand_over_trial(
    LoopStages& loop, FileDescriptor socket, std::uint32_t protocol, const Instance& plugin);

} // namespace switchyard::host
