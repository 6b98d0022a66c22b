#include <host/isolate/stand_in.hpp>
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

// How long a client that has connected may take for its first byte when the server is replaced, and
// how often that is looked at.
constexpr std::chrono::milliseconds kFirstWordsMax{1'000};
constexpr std::chrono::milliseconds kFirstWordsPoll{2};

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

/// `prepared` with the certificates of `config` for these routes; else a sentence.
boost::system::result<Server::Prepared, std::string>
with_tls(Server::Prepared prepared, const Config& config, const RouteTable& routes) {
  prepared.config = std::make_shared<const Config>(config);
  prepared.alpn = alpn_of(routes);
  prepared.listener_tls = listener_tls(config, routes);
  auto tls =
      TlsContexts::load(config.tls ? &*config.tls : nullptr, prepared.alpn, prepared.listener_tls);
  if (!tls) {
    const auto line = config.tls ? ":" + std::to_string(config.tls->place.line) : std::string{};
    return config.file + line + ": " + tls.error();
  }
  prepared.tls = *std::move(tls);
  return prepared;
}

/// Empties and closes the listeners of `loop` that `next` does not have. On the loop, which may
/// still be about to call them.
void leave_listeners(LoopStages& loop, const Listening& next) {
  std::vector<std::shared_ptr<Acceptor>> gone;
  for (const auto& acceptor : loop.acceptors) {
    bool stays = false;
    for (std::size_t i = 0; i < next.size(); ++i)
      stays |= next.at(i, loop.loop.index()) == acceptor;
    if (stays) continue;
    acceptor->drain_and_close();
    gone.push_back(acceptor);
  }
  if (!gone.empty()) net::post(loop.loop.executor(), [gone = std::move(gone)] {});
}

} // namespace

Server::Server(Config config, Log& log, Inherited inherited)
    : config_{std::move(config)},
      log_{log},
      inherited_{std::move(inherited)},
      limit_{connection_cap(config_), config_.limits.connections_per_client},
      loop_service_{make_loop_service(loop_count(config_))},
      services_{make_plugin_log(log), config_.limits.control_timeout / 2} {
  in_use_.config = std::make_shared<const Config>(config_);
  for (std::uint32_t i = 0; i < loop_count(config_); ++i)
    loops_.push_back(std::make_unique<LoopStages>(i, in_use_.config, log.component("route")));
}

Server::~Server() {
  if (plugins_) shut_down_now();
}

std::vector<std::string> Server::start() {
  auto problems = inherited_.without_listener(config_);
  if (!problems.empty()) return problems;
  auto prepared = prepare(config_, {}); // the names of ALPN come with the plugins
  if (!prepared) return prepared.error();

  for (const auto& stages : loops_) {
    stages->tls = prepared->tls;
    stages->loop.start();
  }
  std::vector<ConnectionOwner*> owners;
  for (const auto& stages : loops_)
    owners.push_back(&stages->connections);
  plugins_.emplace(
      config_,
      services_,
      LoopServices{
          &loop_service_, &kDialService, &loops_, &cancel_dials, &close_connections, &begin_turns},
      make_isolate({config_, std::move(owners)}));
  const auto refusals = plugins_->start();
  for (const auto& refusal : refusals)
    problems.push_back(refusal.text);
  const auto none = plugins_->plugins().empty(); // no place for their copies
  if (!problems.empty() && (none || config_.host.on_plugin_failure == OnPluginFailure::Exit))
    return problems;
  for (const auto& problem : problems)
    log_.component("plugin")->error(problem);

  auto with_routes = with_tls(*std::move(prepared), config_, plugins_->dispatch()->routes);
  if (!with_routes) return {with_routes.error()};
  if (auto problem = follow(*std::move(with_routes))) return {*problem};
  started_ = std::chrono::steady_clock::now();
  ready_ = true;
  return {};
}

std::vector<std::string> Server::judge(const Config& next, const RouteTable& routes) const {
  auto problems = Listening::judge(next, in_use_.listening, inherited_);
  const auto made = with_tls({}, next, routes);
  if (!made) problems.push_back(made.error());
  return problems;
}

boost::system::result<Server::Prepared, std::vector<std::string>>
Server::prepare(const Config& next, const RouteTable& routes) const {
  std::vector<Loop*> loops;
  for (const auto& stages : loops_)
    loops.push_back(&stages->loop);
  auto listening = Listening::bind(next, loops, in_use_.listening, inherited_);
  auto prepared = with_tls({}, next, routes);
  std::vector<std::string> problems;
  if (!listening) problems = listening.error();
  if (!prepared) problems.push_back(prepared.error());
  if (!problems.empty()) return problems;
  prepared->listening = *std::move(listening);
  return *std::move(prepared);
}

std::optional<std::string> Server::follow_plugins() {
  const auto& routes = plugins_->dispatch()->routes;
  auto prepared = in_use_;
  if (alpn_of(routes) != in_use_.alpn || listener_tls(config_, routes) != in_use_.listener_tls) {
    auto made = with_tls(std::move(prepared), config_, routes);
    if (!made) return made.error();
    prepared = *std::move(made);
  }
  return follow(std::move(prepared));
}

std::optional<std::string> Server::follow(Prepared prepared) {
  const auto before = std::exchange(in_use_, std::move(prepared));
  const auto& now = in_use_;
  std::vector<std::string_view> names;
  for (const auto& listener : now.config->listeners)
    names.push_back(*names_used_.insert(listener.name).first);
  limit_.set(connection_cap(config_), config_.limits.connections_per_client);

  const auto stuck =
      on_each_loop([this, now, before = before.config, names, dispatch = plugins_->dispatch()](
                       LoopStages& loop) {
        if (now.config != before) leave_listeners(loop, now.listening);
        loop.config = now.config;
        loop.tls = now.tls;
        loop.dispatch = dispatch;
        loop.listener_names = names;
        if (now.config == before) return;
        loop.openings.set_limit(now.config->limits.handshake_timeout);
        loop.loop.set_spin(now.config->limits.spin);
        start_accepting(loop, now.listening);
      });
  const auto log = log_.component("listen");
  for (std::size_t i = 0; i < now.listening.size(); ++i) {
    if (now.listening.fresh(i))
      log->info("listening name={} address={}", names[i], now.listening.address(i));
  }
  in_use_.listening.settle();
  if (!stuck) return std::nullopt;
  return "loop " + std::to_string(*stuck) +
         " did nothing for limits.control_timeout: a plugin blocks it";
}

void Server::start_accepting(LoopStages& loop, const Listening& listening) {
  loop.acceptors.clear();
  for (std::size_t i = 0; i < listening.size(); ++i) {
    const auto& acceptor = loop.acceptors.emplace_back(listening.at(i, loop.loop.index()));
    if (!listening.fresh(i)) continue;
    acceptor->start(
        [this, &loop, of = acceptor.get()](Accepted taken) { serve(taken, *of, loop, limit_); },
        [&loop](const LoopStages::Peer& peer) { loop.refuse(CloseReason::AtCapacity, peer); });
  }
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
  if (in_use_.listening.outlives()) wait_for_first_words();
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

/// Whoever has connected would have waited for the next server, were it not that this one was
/// quick: it is heard, if it speaks soon.
void Server::wait_for_first_words() {
  const auto deadline = Loop::Clock::now() + std::min<Loop::Clock::duration>(
                                                 kFirstWordsMax, config_.limits.handshake_timeout);
  std::atomic<bool> silent{true};
  while (silent && Loop::Clock::now() < deadline) {
    silent = false;
    on_each_loop_or_exit([&silent](LoopStages& loop) {
      if (!loop.openings.empty()) silent = true;
    });
    if (silent) std::this_thread::sleep_for(kFirstWordsPoll);
  }
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
  return host_metrics(config_, loops_, in_use_.listening) + services_.metrics.text();
}

} // namespace switchyard::host
