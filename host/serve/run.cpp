#include <host/config/parse.hpp>
#include <host/control/server.hpp>
#include <host/serve/run.hpp>
#include <host/serve/server.hpp>

#include <boost/asio/io_context.hpp>
#include <boost/asio/signal_set.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/json/array.hpp>
#include <spdlog/spdlog.h>

#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <system_error>
#include <unistd.h>
#include <utility>
#include <vector>

namespace switchyard::host {

namespace json = boost::json;
namespace net = boost::asio;

namespace {

json::object failure(const std::string& sentence) {
  return {{"error", sentence}};
}

/// Answers a request of the command line. Shapes: host/control/README.md.
json::object answer(const Server& server, const json::object& request) {
  const auto text = [&request](std::string_view key) -> std::string_view {
    const auto* value = request.if_contains(key);
    return value != nullptr && value->is_string() ? std::string_view{value->get_string()}
                                                  : std::string_view{};
  };
  const auto command = text("command");
  if (command == "status") return server.status();
  if (command == "metrics") return {{"text", server.metrics()}};
  if (command == "plugin.list") return {{"plugins", server.status()["plugins"]}};
  if (command == "plugin.why") {
    auto plugin = server.plugin_status(text("name"));
    if (!plugin)
      return failure("no plugin is named '" + std::string{text("name")} + "' in the configuration");
    return {{"plugin", std::move(*plugin)}};
  }
  return failure("this server does not know the command '" + std::string{command} + "'");
}

/// The control thread: signals and the command line, until a signal has ended the server.
class Control {
public:
  Control(Server& server, const Limits& limits, Log& log)
      : server_{server}, limits_{limits}, log_{log.component("control")} {}

  /// Opens the control socket; a sentence when it cannot.
  std::optional<std::string> listen(const Config& config) {
    std::error_code ignored; // what cannot be made, the socket or the plugins' copies will name
    std::filesystem::create_directories(config.host.data_dir, ignored);
    auto socket = ControlServer::listen(
        *context_, control_socket(config.host), [this](const json::object& request) {
          return answer(server_, request);
        });
    if (!socket) return socket.error();
    socket_ = std::move(*socket);
    return std::nullopt;
  }

  /// Returns when the server has drained, or has had the time to.
  void run() {
    wait_for_signal();
    context_->run();
  }

private:
  void wait_for_signal() {
    signals_.async_wait([this](boost::system::error_code, int signal) {
      take(signal);
      wait_for_signal();
    });
  }

  void take(int signal) {
    if (signal == SIGHUP) return reload();
    if (!std::exchange(draining_, true)) return drain(signal);
    // From the terminal a second time: who does not wait for the drain need not. SIGTERM changes
    // nothing, for some send it twice (timeout(1)).
    if (signal == SIGINT) context_->stop();
  }

  void reload() {
    if (const auto problem = server_.reload_certificates()) {
      log_->error("certificates not reloaded, the old ones stay: {}", *problem);
    } else {
      log_->info("certificates reloaded");
    }
  }

  void drain(int signal) {
    log_->info("stopping signal={}", signal);
    // Shared with a plugin that drains too late and then tells nobody.
    server_.begin_drain([context = context_] { context->stop(); });
    deadline_.expires_after(limits_.drain_timeout);
    deadline_.async_wait([this](boost::system::error_code) {
      server_.cut_short();
      deadline_.expires_after(limits_.control_timeout);
      deadline_.async_wait([this](boost::system::error_code) { context_->stop(); });
    });
  }

  Server& server_;
  const Limits& limits_;
  std::shared_ptr<spdlog::logger> log_;
  const std::shared_ptr<net::io_context> context_ = std::make_shared<net::io_context>(1);
  net::signal_set signals_{*context_, SIGTERM, SIGINT, SIGHUP};
  net::steady_timer deadline_{*context_};
  bool draining_ = false;
  std::unique_ptr<ControlServer> socket_;
};

} // namespace

int run(const Config& config, const Complain& complain) {
  std::signal(SIGPIPE, SIG_IGN); // a peer that has gone is an error code of the write
  Log log{
      log_level(config.host.log_level), log_format(STDERR_FILENO, std::getenv("JOURNAL_STREAM"))};
  Server server{config, log};
  Control control{server, config.limits, log};
  // The socket first: of two servers with one data directory the second is not to take a single
  // connection. Whoever asks meanwhile gets the answer once the start is over.
  std::vector<std::string> problems;
  if (auto problem = control.listen(config)) {
    problems.push_back(std::move(*problem));
  } else {
    problems = server.start();
  }
  if (!problems.empty()) {
    complain(problems);
    return EXIT_FAILURE;
  }
  log.component("listen")->info("ready");
  control.run();
  if (server.finish() == Server::End::CodeLeft) {
    std::fflush(nullptr);
    std::_Exit(EXIT_SUCCESS); // not through destructors that its threads may still be using
  }
  return EXIT_SUCCESS;
}

} // namespace switchyard::host
