#include <switchyard/dial.hpp>
#include <switchyard/loops.hpp>

#include <host/listen/endpoint.hpp>
#include <host/proxy/proxy.hpp>
#include <host/proxy/pump.hpp>
#include <host/serve/dial_service.hpp>
#include <host/serve/loop_service.hpp>
#include <host/serve/plugin_log.hpp>
#include <proto/sniff/alpn.hpp>
#include <proto/sniff/tag.hpp>

#include <boost/asio/post.hpp>
#include <spdlog/spdlog.h>

#include <future>
#include <iterator>
#include <span>
#include <unistd.h>
#include <utility>

namespace switchyard::host {

namespace {

using namespace std::chrono_literals;

constexpr auto kLinger = 30s; // after a half-close, as long as nothing moves
constexpr auto kEndLimit = 5s;

// What an HTTP/2 client says first, and an empty SETTINGS frame. Source: RFC 9113, 3.4 and 6.5.
constexpr std::string_view kGreeting{
    "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0", 24 + 9};

std::shared_ptr<const Config> config_of_stages(const ProxyConfig& proxy) {
  Config config;
  if (proxy.tls != ProxyTls::Clear) config.tls = proxy.files;
  config.limits.dial_timeout = proxy.dial_timeout;
  return std::make_shared<const Config>(std::move(config));
}

Loops one_loop(
    const std::shared_ptr<const Config>& config, const std::shared_ptr<spdlog::logger>& log) {
  Loops loops;
  loops.push_back(std::make_unique<LoopStages>(0, config, log));
  return loops;
}

} // namespace

/// One accepted connection and what is done with it.
struct Proxy::Session {
  Session(Proxy& proxy_, switchyard::Connection accepted_)
      : proxy{proxy_}, accepted{std::move(accepted_)} {}

  static void ended(void* context, std::exception_ptr thrown) {
    // Nothing on the way throws but an allocation that fails, and that ends the process.
    if (thrown) std::rethrow_exception(thrown);
    const auto& session = *static_cast<Session*>(context);
    session.proxy.sessions_.erase(session.self);
  }

  Proxy& proxy;
  switchyard::Connection accepted; // the task's, once the server has been reached
  Task<> task;
  std::list<Session>::iterator self;
};

Proxy::Proxy(ProxyConfig config, Log& log)
    : config_{std::move(config)},
      stages_config_{config_of_stages(config_)},
      log_{log.component("proxy")},
      loops_{one_loop(stages_config_, log_)},
      loop_service_{make_loop_service(1)},
      services_{make_plugin_log(log), kEndLimit},
      instance_{
          services_,
          {&loop_service_, &kDialService, &loops_, &cancel_dials, &close_connections, &begin_turns},
          "proxy",
          {}},
      host_{&instance_.host},
      limit_{config_.connections, 0} {}

Proxy::~Proxy() {
  run_on_loop([this] {
    for (const auto& acceptor : loop().acceptors)
      acceptor->drain_and_close();
    sessions_.clear();
    instance_.draining = true;
  });
  instance_.cancel_dials();
  static_cast<void>(instance_.leftovers(std::chrono::steady_clock::now() + kEndLimit));
  loop().loop.stop();
}

std::optional<std::string> Proxy::start() {
  const auto tls = TlsContexts::load(stages_config_->tls ? &*stages_config_->tls : nullptr, {});
  loop().loop.start();
  if (!tls) return tls.error();
  loop().tls = *tls;

  // Who mistypes is told now, and not by a client that loses its connections.
  std::optional<std::string> problem;
  std::promise<void> over;
  auto talking = talk(problem);
  run_on_loop([&] {
    talking.start(
        [](void* context, std::exception_ptr thrown) {
          if (thrown) std::rethrow_exception(thrown);
          static_cast<std::promise<void>*>(context)->set_value();
        },
        &over);
  });
  over.get_future().wait();
  run_on_loop([&] { talking = {}; });
  if (problem) return problem;
  return bind();
}

std::optional<std::string> Proxy::bind() {
  const auto endpoint = *parse_endpoint(config_.listen);
  const auto cannot = [this](const boost::system::error_code& why) {
    return "cannot listen on " + config_.listen + ": " + why.message();
  };
  if (const auto taken = Acceptor::try_alone(endpoint)) return cannot(taken);
  auto acceptor = Acceptor::bind(loop().loop, endpoint);
  if (!acceptor) return cannot(acceptor.error());
  auto& acceptors = loop().acceptors;
  acceptors.push_back(std::move(*acceptor));
  acceptors.front()->start(
      [this](Accepted accepted) { accept(accepted); },
      [this](const LoopStages::Peer& peer) { loop().refuse(CloseReason::AtCapacity, peer); });
  return std::nullopt;
}

std::string Proxy::address() const {
  return to_string(loop().acceptors.front()->local_endpoint());
}

/// How to get to gRPC behind the server port. Points into the configuration.
sy_dial_options Proxy::way() const noexcept {
  sy_dial_options way{};
  way.tls = config_.tls == ProxyTls::Clear    ? SY_DIAL_CLEAR
            : config_.tls == ProxyTls::Native ? SY_DIAL_ALPN
                                              : SY_DIAL_TLS;
  way.tag = config_.tls == ProxyTls::Native ? SY_DIAL_NO_TAG : sniff::kGrpcTag;
  way.use_certificate = config_.files.certificate.empty() ? 0 : 1;
  way.address = to_c(config_.target);
  way.alpn = to_c(sniff::alpn_of(sniff::kGrpcTag));
  way.server_name = to_c(config_.server_name);
  return way;
}

/// Says to the server what a client says first, and waits for the first byte of its answer: a
/// server that wants something else closes without one, as one does in TLS 1.3 that refuses our
/// certificate.
Task<> Proxy::talk(std::optional<std::string>& problem) const {
  auto dialled = co_await switchyard::Dial{host_, way()};
  if (dialled.error) {
    problem = dialled.text;
    co_return;
  }
  const auto& server = dialled.connection;
  const switchyard::Loops loops{host_};
  Timer limit{
      loops,
      [](void* waiting) { static_cast<const switchyard::Connection*>(waiting)->cancel(); },
      &dialled.connection};
  static_cast<void>(limit.start(loops.now() + config_.dial_timeout));
  std::byte first{};
  // Whether it could be written or not: the answer may be an alert, and then the end.
  static_cast<void>(co_await server.write(std::as_bytes(std::span{kGreeting})));
  const auto transfer = co_await server.read_some({&first, 1});
  if (transfer.error == Status::Cancelled) {
    problem = config_.target + " does not answer";
  } else if (transfer.error || transfer.bytes == 0) {
    problem =
        config_.target + " closes the connection without a word of gRPC: " + why_closed(server);
  }
  dialled.connection.close(SY_CLOSE_FINISHED);
}

std::string Proxy::why_closed(const switchyard::Connection& server) const {
  auto* tls = static_cast<Connection*>(server.get())->tls();
  if (tls == nullptr) return "no plugin there speaks it, or only in TLS (--tls, --tag-tls)";
  return tls->error().empty() ? "no plugin there speaks it" : tls->error();
}

void Proxy::accept(Accepted accepted) {
  auto [slot, refusal] = limit_.try_acquire(accepted.peer.address());
  if (!slot) {
    ::close(accepted.socket);
    loop().refuse(CloseReason::AtCapacity, accepted.peer);
    return;
  }
  const auto made = Connection::open(loop().connections, accepted.socket, std::move(slot));
  if (!made) {
    loop().refuse(CloseReason::AtCapacity, accepted.peer, made.error().message());
    return;
  }
  auto& session = sessions_.emplace_back(*this, switchyard::Connection{*made});
  session.self = std::prev(sessions_.end());
  session.task = carry(session);
  session.task.start(&Session::ended, &session);
}

Task<> Proxy::carry(Session& session) const {
  auto dialled = co_await switchyard::Dial{host_, way()};
  if (dialled.error) {
    log_->warn("connection closed: {}", dialled.text);
    session.accepted.close(SY_CLOSE_PEER_GONE);
    co_return;
  }
  co_await Pump{host_, std::move(dialled.connection), std::move(session.accepted), kLinger};
}

void Proxy::run_on_loop(const std::function<void()>& task) const {
  std::promise<void> done;
  boost::asio::post(loop().loop.executor(), [&] {
    task();
    done.set_value();
  });
  done.get_future().wait();
}

} // namespace switchyard::host
