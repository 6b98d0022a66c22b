#pragma once

#include <boost/json/object.hpp>
#include <boost/system/result.hpp>

#include <chrono>
#include <cstdint>
#include <functional>
#include <string>

namespace switchyard::host {

/// Why the command line got no answer it can use.
struct ControlFailure {
  enum class Kind : std::uint8_t {
    NoServer, ///< nobody answers there
    Refused,  ///< somebody does, and says no
  };

  Kind kind = Kind::NoServer;
  std::string text; ///< one sentence for the operator
};

/// Asks the server whose control socket is `path`. Blocks, at most `timeout` for each step of it.
[[nodiscard]] boost::system::result<boost::json::object, ControlFailure>
ask(const std::string& path,
    const boost::json::object& request,
    std::chrono::milliseconds timeout = std::chrono::seconds{30});

/// The same for an answer that comes in several lines: each of them but the answer goes to `told`
/// as it comes. `timeout` holds for each.
[[nodiscard]] boost::system::result<boost::json::object, ControlFailure> follow(
    const std::string& path,
    const boost::json::object& request,
    const std::function<void(const boost::json::object& line)>& told,
    std::chrono::milliseconds timeout);

} // namespace switchyard::host
