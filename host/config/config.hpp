#pragma once

#include <host/config/isolation.hpp>

#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

namespace switchyard::host {

/// Where in plugins.toml something was said; 0 where nothing was.
struct Place {
  std::uint32_t line = 0;
};

/// What `serve` does at its start with a plugin that is refused (`on_plugin_failure`).
enum class OnPluginFailure : std::uint8_t {
  Exit,     ///< "exit": says why and serves nothing
  Continue, ///< "continue": marks it failed and serves the others
};

/// `[host]`
struct HostConfig {
  std::string data_dir = "data";
  std::string plugin_dir;         ///< where a bare library name is looked for; nowhere else
  std::string control_socket;     ///< empty: control.sock in data_dir
  std::uint32_t loops = 0;        ///< 0: one per core
  std::string log_level = "info"; ///< trace, debug, info, warn or error
  OnPluginFailure on_plugin_failure = OnPluginFailure::Exit;
  std::vector<std::string> trusted_keys; ///< Ed25519, PEM files; not empty: plugins are signed
  Place place;
};

/// `[tls]`: PEM files. Their contents are read when the TLS contexts are made.
struct TlsConfig {
  std::string ca;
  std::string certificate;
  std::string key;
  bool verify_incoming = false; ///< clear connections and TLS without a certificate are refused
  bool verify_outgoing = false; ///< dialled connections use TLS
  Place place;
};

/// `[limits]`: every bound on what a peer can make us hold or wait for.
struct Limits {
  std::chrono::milliseconds handshake_timeout{5'000}; ///< accept until the protocol is known
  std::uint32_t connections_per_client = 100; ///< open at once from one IP address; 0: no limit
  std::uint32_t connections = 0; ///< open at once in all; 0: what the descriptor limit allows
  std::chrono::milliseconds drain_timeout{30'000};   ///< from SIGTERM until connections are cut
  std::chrono::milliseconds dial_timeout{10'000};    ///< connect and TLS of a dialled connection
  std::chrono::milliseconds probe_timeout{5'000};    ///< a plugin's trial in a child process
  std::chrono::milliseconds control_timeout{10'000}; ///< one control call into a plugin
  std::chrono::microseconds spin{100}; ///< a loop polls this long at most before it sleeps
  std::chrono::milliseconds restart_wait{2'000};   ///< a connection waits for an isolated plugin
  std::chrono::milliseconds restart_delay{10'000}; ///< between two starts of one that crashes
};

/// `[swap]`: how one version of a plugin follows another.
struct SwapConfig {
  std::chrono::milliseconds window{10'000};         ///< the old one stays ready this long; 0: not
  std::chrono::milliseconds health_interval{1'000}; ///< how often the new one is asked in it
  std::chrono::milliseconds trial_timeout{5'000};   ///< the new one answers a trial connection
  std::chrono::milliseconds pause{1'000}; ///< an exclusive plugin is handed over within this
  std::uint32_t errors = 10;     ///< of a hundred connections in the window that may fail; 100: all
  std::uint32_t generations = 3; ///< of one plugin at once, but for those whose code stays
};

/// `[[listener]]`
struct ListenerConfig {
  std::string name;
  std::string address;   ///< "ip:port" or "[ip]:port"
  std::string protocol;  ///< the one protocol it speaks; empty: demultiplexed by tag and ALPN
  bool insecure = false; ///< a non-loopback address without TLS is meant so
  bool tls = false;      ///< `protocol` inside TLS with [tls]'s certificate, and nothing else
  bool verify_incoming = false; ///< with tls: a client without a certificate is refused
  Place place;
};

/// `[[plugin.NAME.route]]`: overrides what the manifest says of one protocol.
struct RouteConfig {
  std::string protocol;
  std::optional<std::uint8_t> tag;
  std::optional<std::string> alpn;
  Place place;
};

/// `[plugin.NAME]`
struct PluginConfig {
  std::string name;
  std::string library; ///< bare name in plugin_dir, or a path
  std::string config;  ///< the table `config` as JSON text
  std::vector<RouteConfig> routes;
  Place place;
  std::string sha256{}; ///< of the only file that is taken, 64 hex digits, lower case; empty: any
  std::vector<std::string> trusted_keys{}; ///< of host.trusted_keys
  std::string
      swapped{}; ///< copy that plugin swap has put in the place of `library`; no key of the file
  Isolation isolation = Isolation::None;
  Place isolation_place{};

  /// Whether a generation made from one is as good as one made from the other: all but routes.
  friend bool operator==(const PluginConfig& a, const PluginConfig& b) noexcept {
    return a.name == b.name && a.library == b.library && a.config == b.config &&
           a.sha256 == b.sha256 && a.trusted_keys == b.trusted_keys && a.swapped == b.swapped &&
           a.isolation == b.isolation;
  }
};

/// One valid plugins.toml. Immutable once parsed; every default stands here. Relative paths are
/// relative to the working directory of the process, as in any command.
struct Config {
  std::string file; ///< as it was named on the command line
  HostConfig host;
  std::optional<TlsConfig> tls;
  Limits limits;
  SwapConfig swap;
  std::vector<ListenerConfig> listeners;
  std::vector<PluginConfig> plugins;
  std::map<std::string, std::uint32_t, std::less<>> lines; ///< of every key, "limits.spin"
};

} // namespace switchyard::host
