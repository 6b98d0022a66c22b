#pragma once

#include <host/control/reply.hpp>

#include <boost/asio/io_context.hpp>
#include <boost/json/object.hpp>
#include <boost/system/result.hpp>

#include <chrono>
#include <cstddef>
#include <functional>
#include <memory>
#include <string>

namespace switchyard::host {

/// Bounds on what a client of the control socket can make us hold or wait for.
struct ControlLimits {
  std::chrono::milliseconds timeout{
      5'000}; ///< for the request to arrive, and for each line of the answer to leave
  std::size_t request_bytes = 64 * 1024;
  std::size_t clients = 16; ///< served at once; more wait in the accept queue
};

/// Answers the command line on a Unix socket: one request a connection, a line of JSON, and lines
/// of JSON back.
/// Only root and the user this process runs as are heard. Protocol: host/control/README.md. Used on
/// the one thread that runs `context`.
class ControlServer {
public:
  /// Gives the answer to a request, or a reply that will be given. Runs on the thread of the
  /// context and may take its time: one request is looked at after another.
  using Dispatch = std::function<ControlReply(const boost::json::object& request)>;

  /// Makes the socket `path` (mode 0600) and begins to answer. Makes its directory (0700) if only
  /// that is missing. A socket that a dead server left is replaced. Fails with a sentence for the
  /// operator, so when a server that lives has this path.
  [[nodiscard]] static boost::system::result<std::unique_ptr<ControlServer>, std::string> listen(
      boost::asio::io_context& context,
      const std::string& path,
      Dispatch dispatch,
      const ControlLimits& limits = {});

  /// Removes the socket. Connections that are still open end with the context.
  ~ControlServer();
  ControlServer(const ControlServer&) = delete;
  ControlServer& operator=(const ControlServer&) = delete;

private:
  struct State;
  struct Client;
  explicit ControlServer(std::shared_ptr<State> state);

  std::shared_ptr<State> state_;
};

} // namespace switchyard::host
