#include <host/cluster/cluster.hpp>
#include <host/config/parse.hpp>
#include <host/control/server.hpp>
#include <host/crash/crash_box.hpp>
#include <host/reload/reloads.hpp>
#include <host/serve/run.hpp>
#include <host/serve/server.hpp>
#include <host/serve/supervisor.hpp>
#include <host/swap/swap_records.hpp>
#include <host/swap/swaps.hpp>

#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/signal_set.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/json/array.hpp>
#include <spdlog/spdlog.h>

#include <chrono>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <functional>
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

/// How long a reload by signal waits when a swap has not ended.
constexpr std::chrono::seconds kPostponed{1};

json::object failure(const std::string& sentence) {
  return {{"error", sentence}};
}

/// One string of a request; empty when it is not there.
std::string text(const json::object& request, std::string_view key) {
  const auto* value = request.if_contains(key);
  return value != nullptr && value->is_string() ? std::string{value->get_string()} : std::string{};
}

bool flag(const json::object& request, std::string_view key) {
  const auto* value = request.if_contains(key);
  return value != nullptr && *value == true;
}

/// `status` with what is remembered of plugins that were swapped.
json::object with_records(json::object status, const SwapRecords& records) {
  for (auto& each : status.at("plugins").as_array()) {
    auto& plugin = each.as_object();
    if (auto swapped = records.describe(plugin.at("name").as_string()); !swapped.empty())
      plugin["swapped"] = std::move(swapped);
  }
  return status;
}

/// Answers a request of the command line. Shapes: host/control/README.md.
ControlReply answer(
    const Server& server,
    Swaps& swaps,
    Reloads& reloads,
    const SwapRecords& records,
    Cluster& cluster,
    const json::object& request) {
  constexpr std::string_view kOfCluster = "cluster.";
  const auto command = text(request, "command");
  if (command.starts_with(kOfCluster)) {
    return cluster.answer(std::string_view{command}.substr(kOfCluster.size()), request);
  }
  const auto name = text(request, "name");
  if (command == "status") return with_records(server.status(), records);
  if (command == "metrics") return json::object{{"text", server.metrics()}};
  if (command == "plugin.list")
    return json::object{{"plugins", with_records(server.status(), records)["plugins"]}};
  if (command == "reload") {
    const auto swapped = flag(request, "keep")      ? Swapped::Keep
                         : flag(request, "discard") ? Swapped::Discard
                                                    : Swapped::Ask;
    return reloads.reload(swapped, flag(request, "dry_run"));
  }
  if (command == "plugin.swap") {
    const auto library = text(request, "library");
    return flag(request, "dry_run") ? swaps.plan(name, library) : swaps.swap(name, library);
  }
  if (command == "plugin.rollback") return swaps.take_back(name);
  if (command == "plugin.why") {
    auto plugin = server.plugin_status(name);
    if (!plugin) return failure("no plugin is named '" + name + "' in the configuration");
    if (auto swapped = records.describe(name); !swapped.empty())
      (*plugin)["swapped"] = std::move(swapped);
    if (auto last = swaps.last(name); !last.empty()) (*plugin)["last_swap"] = std::move(last);
    return json::object{{"plugin", std::move(*plugin)}};
  }
  return failure("this server does not know the command '" + command + "'");
}

/// The control thread: signals and the command line, until a signal has ended the server.
class Control {
public:
  Control(Server& server, Log& log)
      : server_{server},
        config_{server.config()},
        everything_{log},
        log_{log.component("control")} {}

  /// Opens the control socket; a sentence when it cannot.
  std::optional<std::string> listen() {
    std::error_code ignored; // what cannot be made, the socket or the plugins' copies will name
    std::filesystem::create_directories(config_.host.data_dir, ignored);
    auto socket = ControlServer::listen(
        *context_, control_socket(config_.host), [this](const json::object& request) {
          return swaps_ ? answer(server_, *swaps_, *reloads_, *records_, *cluster_, request)
                        : failure("the server is starting or stopping");
        });
    if (!socket) return socket.error();
    socket_ = std::move(*socket);
    return std::nullopt;
  }

  /// Takes up what servers before this one have left: versions that were swapped in, which `config`
  /// follows, and a crash. Has a crash of this one remembered. A sentence when it cannot.
  std::optional<std::string> recall(Config& config) {
    auto records = SwapRecords::open(config.host.data_dir);
    if (!records) return records.error();
    records_.emplace(*std::move(records));
    const auto file = config_.host.data_dir + "/crash";
    if (const auto crash = take_crash_record(file)) {
      log_->error(
          "the server before this one has crashed signal={} plugin={} generation={} "
          "function=\"{}\"",
          crash->signal,
          crash->plugin,
          crash->generation,
          crash->function);
      if (const auto sentence = records_->crashed(*crash)) log_->error("{}", *sentence);
    }
    if (!install_crash_box(file)) log_->warn("a crash would leave no record: {}", file);
    for (const auto& sentence : records_->overlay(config))
      log_->warn("{}", sentence);
    return std::nullopt;
  }

  /// Returns when the server, which has started, has drained, or has had the time to.
  void run() {
    const SwapSurroundings plugins{
        context_,
        server_.config(),
        server_.plugins(),
        server_.services(),
        *records_,
        [this] { return server_.follow_plugins(); },
        [this](const Instance& plugin, std::uint32_t protocol, FileDescriptor socket) {
          server_.hand_over_trial(plugin, protocol, std::move(socket));
        }};
    swaps_.emplace(plugins);
    reloads_.emplace(ReloadSurroundings{
        plugins,
        *swaps_,
        [this](const Config& next, const RouteTable& routes) {
          return server_.judge(next, routes);
        },
        [this](const Config& next, const RouteTable& routes) { return prepare(next, routes); },
        [this](bool failed, const std::string& line) {
          log_->log(failed ? spdlog::level::err : spdlog::level::info, "{}", line);
          if (!draining_) tell_supervisor("READY=1");
        }});
    cluster_.emplace(
        server_.services().interfaces,
        [context = context_](std::function<void()> run) { net::post(*context, std::move(run)); });
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
    if (signal == SIGHUP) {
      tell_supervisor("RELOADING=1");
      return hang_up();
    }
    if (!std::exchange(draining_, true)) return drain(signal);
    // From the terminal a second time: who does not wait for the drain need not. SIGTERM changes
    // nothing, for some send it twice (timeout(1)).
    if (signal == SIGINT) context_->stop();
  }

  /// A reload that nobody waits for, and that nobody can be asked about: swapped versions stay.
  void hang_up() {
    const auto open = swaps_->open();
    const auto waits = open || reloads_->under_way();
    if (!waits || draining_) return static_cast<void>(reloads_->reload(Swapped::Keep, false));
    log_->info("reload waits: {}", open ? *open : "another is under way");
    postponed_.expires_after(kPostponed);
    postponed_.async_wait([this](boost::system::error_code again) {
      if (!again) hang_up();
    });
  }

  /// What Reloads needs of the server, and of the log.
  boost::system::result<ReloadSurroundings::Follow, std::vector<std::string>>
  prepare(const Config& next, const RouteTable& routes) {
    auto prepared = server_.prepare(next, routes);
    if (!prepared) return prepared.error();
    return ReloadSurroundings::Follow{
        [this, prepared = std::make_shared<Server::Prepared>(*std::move(prepared))] {
          everything_.set_level(log_level(config_.host.log_level));
          return server_.follow(std::move(*prepared));
        }};
  }

  void drain(int signal) {
    log_->info("stopping signal={}", signal);
    tell_supervisor("STOPPING=1");
    reloads_->end();
    swaps_->end();
    // Shared with a plugin that drains too late and then tells nobody.
    server_.begin_drain([context = context_] { context->stop(); });
    deadline_.expires_after(config_.limits.drain_timeout);
    deadline_.async_wait([this](boost::system::error_code) {
      server_.cut_short();
      deadline_.expires_after(config_.limits.control_timeout);
      deadline_.async_wait([this](boost::system::error_code) { context_->stop(); });
    });
  }

  Server& server_;
  const Config& config_;
  Log& everything_;
  std::shared_ptr<spdlog::logger> log_;
  const std::shared_ptr<net::io_context> context_ = std::make_shared<net::io_context>(1);
  net::signal_set signals_{*context_, SIGTERM, SIGINT, SIGHUP};
  net::steady_timer deadline_{*context_};
  net::steady_timer postponed_{*context_};
  bool draining_ = false;
  std::unique_ptr<ControlServer> socket_;
  std::optional<SwapRecords> records_;
  std::optional<Swaps> swaps_;
  std::optional<Reloads> reloads_;
  std::optional<Cluster> cluster_;
};

} // namespace

int run(const Config& config, const Complain& complain) {
  std::signal(SIGPIPE, SIG_IGN); // a peer that has gone is an error code of the write
  Log log{
      log_level(config.host.log_level), log_format(STDERR_FILENO, std::getenv("JOURNAL_STREAM"))};
  auto inherited = Inherited::take();
  if (!inherited) {
    complain({inherited.error()});
    return EXIT_FAILURE;
  }
  Server server{config, log, *std::move(inherited)};
  Control control{server, log};
  // The socket first: of two servers with one data directory the second is not to take a single
  // connection. Whoever asks meanwhile gets the answer once the start is over.
  std::vector<std::string> problems;
  if (auto problem = control.listen()) {
    problems.push_back(std::move(*problem));
  } else if (auto unusable = control.recall(server.config())) {
    problems.push_back(std::move(*unusable));
  } else {
    problems = server.start();
  }
  if (!problems.empty()) {
    complain(problems);
    return EXIT_FAILURE;
  }
  log.component("listen")->info("ready");
  tell_supervisor("READY=1");
  control.run();
  if (server.finish() == Server::End::CodeLeft) {
    std::fflush(nullptr);
    std::_Exit(EXIT_SUCCESS); // not through destructors that its threads may still be using
  }
  return EXIT_SUCCESS;
}

} // namespace switchyard::host
