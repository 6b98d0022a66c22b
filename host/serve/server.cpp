#include <host/listen/endpoint.hpp>
#include <host/serve/dial_service.hpp>
#include <host/serve/host_metrics.hpp>
#include <host/serve/loop_service.hpp>
#include <host/serve/plugin_log.hpp>
#include <host/serve/serve.hpp>
#include <host/serve/server.hpp>
#include <host/serve/totals.hpp>

#include <boost/asio/post.hpp>
#include <spdlog/spdlog.h>
#include <sys/resource.h>

#include <algorithm>
#include <atomic>
#include <cstdio>
#include <cstdlib>
#include <future>
#include <thread>
#include <utility>

namespace switchyard::host {

namespace net = boost::asio;

namespace {

// Bounds what the last connections of the accept queue may take before the drain begins.
constexpr int kLastRounds = 1'000;

std::uint32_t loop_count(const Config& config) {
  return config.host.loops != 0 ? config.host.loops
                                : std::max(1U, std::thread::hardware_concurrency());
}

/// How many connections the descriptor limit allows, with a reserve for everything else.
std::uint32_t connection_cap(const Config& config) {
  rlimit files{};
  ::getrlimit(RLIMIT_NOFILE, &files);
  files.rlim_cur = files.rlim_max;
  ::setrlimit(RLIMIT_NOFILE, &files);
  ::getrlimit(RLIMIT_NOFILE, &files);
  const auto allowed = files.rlim_cur > 2 * Acceptor::kReserve ? files.rlim_cur - Acceptor::kReserve
                                                               : files.rlim_cur / 2;
  const auto wanted = config.limits.connections;
  return static_cast<std::uint32_t>(
      wanted == 0 ? std::min<rlim_t>(allowed, UINT32_MAX) : std::min<rlim_t>(wanted, allowed));
}

std::vector<std::string> alpn_of(const RouteTable& routes) {
  std::vector<std::string> names;
  for (const auto& route : routes.all()) {
    if (route.alpn) names.push_back(*route.alpn);
  }
  return names;
}

TlsContexts::Listeners listener_tls(const Config& config, const RouteTable& routes) {
  TlsContexts::Listeners listeners;
  for (const auto& listener : config.listeners) {
    auto& tls = listeners.emplace_back();
    if (!listener.tls) continue;
    tls.emplace(ListenerTls{listener.verify_incoming, {}});
    const auto* route = routes.by_protocol(listener.protocol);
    if (route == nullptr) continue; // its plugin was refused
    if (route->listener_alpn) tls->alpn.push_back(*route->listener_alpn);
    if (route->alpn) tls->alpn.push_back(*route->alpn);
  }
  return listeners;
}

} // namespace

Server::Server(const Config& config, Log& log)
    : config_{config},
      log_{log},
      limit_{connection_cap(config), config.limits.connections_per_client},
      loop_service_{make_loop_service(loop_count(config))},
      services_{make_plugin_log(log), config.limits.control_timeout / 2} {
  for (std::uint32_t i = 0; i < loop_count(config); ++i)
    loops_.push_back(std::make_unique<LoopStages>(i, config, log.component("route")));
}

Server::~Server() {
  if (plugins_) shut_down_now();
}

std::vector<std::string> Server::start() {
  auto problems = bind();
  const auto tls = TlsContexts::load(config_.tls ? &*config_.tls : nullptr, {});
  if (!tls) problems.push_back(config_.file + ": " + tls.error());
  if (!problems.empty()) return problems;

  for (const auto& stages : loops_) {
    stages->tls = *tls;
    stages->loop.start();
  }
  plugins_.emplace(
      config_, services_, LoopServices{&loop_service_, &kDialService, &loops_, &cancel_dials});
  const auto refusals = plugins_->start();
  for (const auto& refusal : refusals)
    problems.push_back(refusal.text);
  const auto none = plugins_->plugins().empty(); // no place for their copies
  if (!problems.empty() && (none || config_.host.on_plugin_failure == OnPluginFailure::Exit))
    return problems;
  for (const auto& problem : problems)
    log_.component("plugin")->error(problem);

  if (auto problem = follow_plugins()) return {*problem};
  start_accepting();
  started_ = std::chrono::steady_clock::now();
  ready_ = true;
  return {};
}

std::vector<std::string> Server::bind() {
  std::vector<std::string> problems;
  for (const auto& listener : config_.listeners) {
    auto endpoint = *parse_endpoint(listener.address); // checked with the configuration
    const auto cannot = [&](const boost::system::error_code& why) {
      problems.push_back(
          config_.file + ":" + std::to_string(listener.place.line) + ": listener '" +
          listener.name + "' cannot listen on " + to_string(endpoint) + ": " + why.message());
    };
    if (const auto taken = Acceptor::try_alone(endpoint)) {
      cannot(taken);
      continue;
    }
    for (const auto& stages : loops_) {
      auto acceptor = Acceptor::bind(stages->loop, endpoint);
      if (!acceptor) {
        cannot(acceptor.error());
        break;
      }
      endpoint = (*acceptor)->local_endpoint(); // the other loops join the port that 0 became
      stages->acceptors.push_back(std::move(*acceptor));
    }
  }
  return problems;
}

void Server::start_accepting() {
  stages_.emplace(Stages{config_, limit_});
  for (const auto& stages : loops_) {
    for (std::size_t i = 0; i < config_.listeners.size(); ++i) {
      auto& loop = *stages;
      loop.acceptors[i]->start(
          [this, &loop, i](Accepted accepted) { serve(accepted, i, loop, *stages_); },
          [&loop](const LoopStages::Peer& peer) { loop.refuse(CloseReason::AtCapacity, peer); });
    }
  }
  const auto log = log_.component("listen");
  for (std::size_t i = 0; i < config_.listeners.size(); ++i)
    log->info("listening name={} address={}", config_.listeners[i].name, bound_address(i));
}

std::string Server::bound_address(std::size_t index) const {
  return to_string(loops_.front()->acceptors[index]->local_endpoint());
}

std::optional<std::string> Server::reload_certificates() {
  auto tls = TlsContexts::load(config_.tls ? &*config_.tls : nullptr, alpn_, listener_tls_);
  if (!tls) return config_.file + ": " + tls.error();
  tls_ = *std::move(tls);
  if (on_each_loop([fresh = tls_](LoopStages& stages) { stages.tls = fresh; }))
    return "a loop has not taken them within limits.control_timeout: a plugin blocks it";
  return std::nullopt;
}

std::optional<std::string> Server::follow_plugins() {
  const auto& dispatch = plugins_->dispatch();
  auto alpn = alpn_of(dispatch->routes);
  auto listeners = listener_tls(config_, dispatch->routes);
  if (!tls_ || alpn != alpn_ || listeners != listener_tls_) {
    auto tls = TlsContexts::load(config_.tls ? &*config_.tls : nullptr, alpn, listeners);
    if (!tls) return config_.file + ": " + tls.error();
    tls_ = *std::move(tls);
    alpn_ = std::move(alpn);
    listener_tls_ = std::move(listeners);
  }
  const auto stuck = on_each_loop([tls = tls_, dispatch](LoopStages& stages) {
    stages.tls = tls;
    stages.dispatch = dispatch;
  });
  if (!stuck) return std::nullopt;
  return "loop " + std::to_string(*stuck) +
         " did nothing for limits.control_timeout: a plugin blocks it";
}

std::optional<std::uint32_t> Server::on_each_loop(LoopTask task) {
  const auto shared = std::make_shared<const LoopTask>(std::move(task)); // a late loop still has it
  std::vector<std::future<void>> ends;
  for (const auto& stages : loops_) {
    const auto end = std::make_shared<std::promise<void>>();
    ends.push_back(end->get_future());
    net::post(stages->loop.executor(), [shared, end, &loop = *stages] {
      (*shared)(loop);
      end->set_value();
    });
  }
  const auto deadline = Loop::Clock::now() + config_.limits.control_timeout;
  for (std::uint32_t i = 0; i < ends.size(); ++i) {
    if (ends[i].wait_until(deadline) == std::future_status::timeout) return i;
  }
  return std::nullopt;
}

void Server::on_each_loop_or_exit(LoopTask task) {
  const auto stuck = on_each_loop(std::move(task));
  if (!stuck) return;
  // Its thread cannot be ended from outside, and what it holds cannot be taken away: the kernel
  // can.
  log_.component("listen")->critical(
      "loop {} did nothing for limits.control_timeout, a plugin blocks it: exiting at once",
      *stuck);
  std::fflush(nullptr);
  std::_Exit(EXIT_FAILURE);
}

std::uint64_t Server::connections_open() const {
  return totals(loops_).open;
}

void Server::begin_drain(std::function<void()> done) {
  log_.component("listen")->info("draining connections={}", connections_open());
  ready_ = false;
  on_each_loop_or_exit([](LoopStages& loop) {
    for (const auto& acceptor : loop.acceptors)
      acceptor->drain_and_close();
  });
  serve_what_has_spoken();
  const auto deadline = Loop::Clock::now() + config_.limits.drain_timeout;
  plugins_->drain(static_cast<std::uint64_t>(deadline.time_since_epoch().count()), std::move(done));
}

void Server::cut_short() {
  log_.component("listen")->warn("drain cut short connections={}", connections_open());
  plugins_->abort_all();
}

Server::End Server::finish() {
  const auto end = shut_down_now();
  log_.component("listen")->info("stopped");
  return end;
}

void Server::serve_what_has_spoken() {
  // Each round lets the loops read what was ready before it.
  std::atomic<bool> spoken{true};
  for (int round = 0; spoken && round < kLastRounds; ++round) {
    spoken = false;
    on_each_loop_or_exit([&spoken](LoopStages& loop) {
      if (loop.openings.any_readable()) spoken = true;
    });
  }
}

Server::End Server::shut_down_now() {
  on_each_loop_or_exit([](LoopStages& loop) {
    for (const auto& acceptor : loop.acceptors)
      acceptor->drain_and_close();
    loop.openings.expire_all();
  });
  plugins_->stop();
  const auto& plugins = plugins_->plugins();
  const auto code_left = std::any_of(
      plugins.begin(), plugins.end(), [](const auto& plugin) { return plugin->retained() != 0; });
  on_each_loop_or_exit([](LoopStages& loop) { loop.connections.close_all(CloseReason::Drained); });
  for (const auto& stages : loops_)
    stages->loop.stop();
  plugins_.reset();
  return code_left ? End::CodeLeft : End::Clean;
}

std::string Server::metrics() const {
  return host_metrics(config_, loops_) + services_.metrics.text();
}

} // namespace switchyard::host
