#pragma once

#include <host/config/config.hpp>
#include <host/listen/listening.hpp>
#include <host/log/log.hpp>
#include <host/plugin/plugin_set.hpp>
#include <host/serve/hand_over.hpp>
#include <host/serve/stages.hpp>
#include <host/services/services.hpp>

#include <boost/json/object.hpp>

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace switchyard::host {

/// One running server: loops, listeners, plugins. Used by one thread, the control thread, which may
/// block in it for as long as the limits allow.
class Server {
public:
  /// `inherited`: sockets of listeners that are there already.
  Server(Config config, Log& log, Inherited inherited = {});

  /// Ends what is left at once.
  ~Server();
  Server(const Server&) = delete;
  Server& operator=(const Server&) = delete;

  /// Binds the listeners, reads certificates, brings the plugins up and begins to accept. Otherwise
  /// says everything that is wrong, a sentence each; nothing of it runs then.
  [[nodiscard]] std::vector<std::string> start();

  /// What is in force. A reload assigns to it.
  [[nodiscard]] Config& config() noexcept { return config_; }

  /// What another configuration asks of the server besides its plugins, made and not in use.
  struct Prepared {
    std::shared_ptr<const Config> config;
    std::shared_ptr<const TlsContexts> tls;
    std::vector<std::string> alpn;
    TlsContexts::Listeners listener_tls;
    Listening listening;
  };

  /// Says what follow() would meet with `next` and these routes, a sentence each: certificates,
  /// addresses. Takes nothing.
  [[nodiscard]] std::vector<std::string> judge(const Config& next, const RouteTable& routes) const;

  /// Reads the certificates of `next` anew and binds its new listeners, or says what it cannot.
  [[nodiscard]] boost::system::result<Prepared, std::vector<std::string>>
  prepare(const Config& next, const RouteTable& routes) const;

  /// Gives every loop what was prepared for the config() that is in force now, and the routes of
  /// the generations that serve now: connections from now on. Listeners that are no more are
  /// emptied and closed. A sentence when a loop is stuck; it follows once it goes on.
  [[nodiscard]] std::optional<std::string> follow(Prepared prepared);

  /// Empties the accept queues, closes the listeners, and asks the plugins to finish what they
  /// have. `done` is called once, on any thread, when they have; their deadline is
  /// limits.drain_timeout.
  void begin_drain(std::function<void()> done);

  /// Closes what has not drained.
  void cut_short();

  /// What a server that has stopped leaves in the process.
  enum class End : std::uint8_t {
    Clean,
    CodeLeft, ///< a plugin that could not be unloaded: its threads may run on
  };

  /// Stops everything, drained or not. Exits the process when a loop is stuck for good.
  End finish();

  /// Where listener `index` of the configuration is bound: "ip:port", with the port that 0 became.
  [[nodiscard]] std::string bound_address(std::size_t index) const {
    return in_use_.listening.address(index);
  }

  /// After start().
  [[nodiscard]] PluginSet& plugins() noexcept { return *plugins_; }

  [[nodiscard]] Services& services() noexcept { return services_; }

  /// Gives every loop the routes of the generations that serve now. A sentence when that fails;
  /// some loops may have them then.
  [[nodiscard]] std::optional<std::string> follow_plugins();

  /// Gives `socket`, one end of a pair, to `plugin`, which may not serve yet, as a connection of
  /// its `protocol`-th protocol.
  void hand_over_trial(const Instance& plugin, std::uint32_t protocol, FileDescriptor socket) {
    host::hand_over_trial(*loops_.front(), std::move(socket), protocol, plugin);
  }

  /// What `switchyard status` shows. Shape: host/control/README.md.
  [[nodiscard]] boost::json::object status() const;

  /// The plugin's part of status(); nothing when no plugin has that name.
  [[nodiscard]] std::optional<boost::json::object> plugin_status(std::string_view name) const;

  /// Text of all metrics in the Prometheus exposition format.
  [[nodiscard]] std::string metrics() const;

private:
  void start_accepting(LoopStages& loop, const Listening& listening);
  void serve_what_has_spoken();
  void wait_for_first_words();
  End shut_down_now();

  using LoopTask = std::function<void(LoopStages&)>;
  // Runs `task` on every loop and waits, for limits.control_timeout at most. Names a loop that has
  // not.
  [[nodiscard]] std::optional<std::uint32_t> on_each_loop(LoopTask task);
  void on_each_loop_or_exit(LoopTask task);
  [[nodiscard]] std::uint64_t connections_open() const;

  Config config_;
  Log& log_;
  const Inherited inherited_;
  std::set<std::string, std::less<>> names_used_; // of listeners: connections may refer to them
  ClientLimit limit_;
  Loops loops_;
  Prepared in_use_; // what the loops have
  sy_loops loop_service_;
  Services services_;
  std::optional<PluginSet> plugins_;
  std::chrono::steady_clock::time_point started_;
  bool ready_ = false;
};

} // namespace switchyard::host
