#pragma once

#include <host/serve/stages.hpp>

#include <boost/system/result.hpp>

namespace switchyard::host {

/// Gives `connection` to the plugin of `route`, in the way its manifest asks for. Without a value
/// the connection is the plugin's; otherwise it is still the caller's, to be closed for that
/// reason.
[[nodiscard]] boost::system::result<void, CloseReason>
hand_over(Connection& connection, const Route& route, const Stages& stages);

} // namespace switchyard::host
