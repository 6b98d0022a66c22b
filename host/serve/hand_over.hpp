#pragma once

#include <host/serve/stages.hpp>

#include <boost/system/result.hpp>

namespace switchyard::host {

/// Gives `connection` to the plugin that `route` of `dispatch` leads to, in the way its manifest
/// asks for; from then on it needs neither of the two. Without a value
/// the connection is the plugin's; otherwise it is still the caller's, to be closed for that
/// reason.
[[nodiscard]] boost::system::result<void, CloseReason>
hand_over(Connection& connection, const Route& route, const Dispatch& dispatch);

} // namespace switchyard::host
