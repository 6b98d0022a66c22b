#include "commands.hpp"
#include "report.hpp"

#include <host/proxy/proxy.hpp>

#include <boost/asio/io_context.hpp>
#include <boost/asio/signal_set.hpp>
#include <boost/json/object.hpp>

#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <unistd.h>

namespace switchyard::host {

ExitCode proxy(const ProxyConfig& wanted, Output output) {
  std::signal(SIGPIPE, SIG_IGN); // a peer that has gone is an error code of the write
  Log log{spdlog::level::info, log_format(STDERR_FILENO, std::getenv("JOURNAL_STREAM"))};
  Proxy proxy{wanted, log};
  if (const auto problem = proxy.start()) return report(output, kFailed, *problem);

  boost::asio::io_context context{1};
  boost::asio::signal_set signals{context, SIGTERM, SIGINT}; // before anybody learns the address
  signals.async_wait([](boost::system::error_code, int) {});
  if (output == Output::Json) {
    print(boost::json::object{{"address", proxy.address()}, {"target", wanted.target}});
  } else {
    print(
        "http://" + proxy.address() + " is the internal gRPC of " + wanted.target +
        " until Ctrl-C; for instance:\n  buf curl --protocol grpc --http2-prior-knowledge "
        "--list-methods http://" +
        proxy.address() + "\n");
  }
  std::fflush(stdout);
  context.run();
  return kDone;
}

} // namespace switchyard::host
