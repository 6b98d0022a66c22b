#pragma once

#include <host/command/exit_code.hpp>
#include <host/proxy/proxy_config.hpp>

#include <cstdint>
#include <string>

namespace switchyard::host {

/// How a command prints what it has to say.
enum class Output : std::uint8_t {
  Text, ///< for people; what went wrong goes to stderr
  Json, ///< one line on stdout, also when something went wrong: {"error": …}
};

/// Which server a command is about.
struct Target {
  std::string config = "plugins.toml";
  std::string socket; ///< empty: where `config` says
  Output output = Output::Text;
};

/// What `plugin swap` is to do.
struct SwapOrder {
  std::string name;
  std::string library; ///< empty: what the server's configuration says
  bool dry_run = false;
};

/// What `reload` is to do.
struct ReloadOrder {
  bool dry_run = false;
  bool keep = false;    ///< versions that plugin swap has put in the place of the file's
  bool discard = false; ///< the same
};

/// Certificates that `cert create` makes; see certificate.hpp for their contents.
struct CertificateOrder {
  std::string dir = ".";
  std::string node;
  std::string dc = "dc1";
  std::string domain = "consul";
  std::string client; ///< not empty: a certificate for this client instead of the server's
  int days = 365;
  bool force = false;
  Output output = Output::Text;
};

// One file each. All of them print, block, and return what the process exits with.
[[nodiscard]] ExitCode serve(const Target& target);
[[nodiscard]] ExitCode check(const Target& target);
[[nodiscard]] ExitCode status(const Target& target);
[[nodiscard]] ExitCode reload(const Target& target, const ReloadOrder& order);
[[nodiscard]] ExitCode plugin_list(const Target& target);
[[nodiscard]] ExitCode plugin_why(const Target& target, const std::string& name);
[[nodiscard]] ExitCode plugin_swap(const Target& target, const SwapOrder& order);
[[nodiscard]] ExitCode plugin_rollback(const Target& target, const std::string& name);
[[nodiscard]] ExitCode plugin_hash(Output output, const std::string& file);
[[nodiscard]] ExitCode plugin_sign(Output output, const std::string& file, const std::string& key);
[[nodiscard]] ExitCode cert_create(const CertificateOrder& order);
[[nodiscard]] ExitCode proxy(const ProxyConfig& wanted, Output output);
[[nodiscard]] ExitCode version(Output output);

} // namespace switchyard::host
