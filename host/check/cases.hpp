#pragma once

#include <host/check/finding.hpp>
#include <host/plugin/manifest.hpp>

#include <optional>
#include <string>
#include <vector>

namespace switchyard::host {

/// What is known of the plugin once its file has been read.
struct Examined {
  Manifest manifest;
  std::string manifest_text;
  std::vector<std::string> platform; ///< sonames of the libraries it shares with the host
  bool rust = false;                 ///< it carries Rust's standard library
};

// Each is one case, and blocks until it is over. All but the first two put the plugin into a server
// in a process of its own.

/// What the file says of itself, without running it. Nothing when a host would not take it.
[[nodiscard]] std::optional<Examined> examine_file(const PluginCheck& trial, CaseResult& result);

/// Loads it in a child process, and has it judge its configuration and strange ones.
void try_configurations(const PluginCheck& trial, const Examined& plugin, CaseResult& result);

/// From init to the proof that its code has left, without a connection.
void live_and_end(const PluginCheck& trial, const Examined& plugin, CaseResult& result);

/// Ends it with connections open: by a drain that is over in time or cut short, and without
/// waiting.
void end_while_serving(const PluginCheck& trial, const Examined& plugin, CaseResult& result);

/// Connections that come and go in every way that TCP knows, and what is left of them.
void come_and_go(const PluginCheck& trial, const Examined& plugin, CaseResult& result);

/// The same with bytes that are none of its protocol's, or of no protocol's.
void talk_nonsense(const PluginCheck& trial, const Examined& plugin, CaseResult& result);

/// One version after another while connections are open, and what each leaves behind.
void swap_often(const PluginCheck& trial, const Examined& plugin, CaseResult& result);

} // namespace switchyard::host
