#include <host/serve/run.hpp>
#include <host/serve/server.hpp>

#include <boost/asio/io_context.hpp>
#include <boost/asio/signal_set.hpp>
#include <spdlog/spdlog.h>

#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <unistd.h>

namespace switchyard::host {

namespace net = boost::asio;

namespace {

/// The control thread: signals until one of them ends the server.
class Control {
public:
  Control(Server& server, Log& log) : server_{server}, log_{log.component("control")} {}

  void run() {
    wait_for_signal();
    context_.run();
  }

private:
  void wait_for_signal() {
    signals_.async_wait([this](boost::system::error_code, int signal) {
      if (signal != SIGHUP) {
        log_->info("stopping signal={}", signal);
        return context_.stop();
      }
      if (const auto problem = server_.reload_certificates()) {
        log_->error("certificates not reloaded, the old ones stay: {}", *problem);
      } else {
        log_->info("certificates reloaded");
      }
      wait_for_signal();
    });
  }

  Server& server_;
  std::shared_ptr<spdlog::logger> log_;
  net::io_context context_{1};
  net::signal_set signals_{context_, SIGTERM, SIGINT, SIGHUP};
};

} // namespace

int run(const Config& config) {
  std::signal(SIGPIPE, SIG_IGN); // a peer that has gone is an error code of the write
  Log log{
      log_level(config.host.log_level), log_format(STDERR_FILENO, std::getenv("JOURNAL_STREAM"))};
  Server server{config, log};
  Control control{server, log};
  if (const auto problems = server.start(); !problems.empty()) {
    for (const auto& problem : problems)
      std::fprintf(stderr, "%s\n", problem.c_str());
    return EXIT_FAILURE;
  }
  log.component("listen")->info("ready");
  control.run();
  server.shut_down();
  return EXIT_SUCCESS;
}

} // namespace switchyard::host
