#pragma once

#include <host/check/cases.hpp>
#include <host/check/served.hpp>

#include <string>

namespace switchyard::host {

/// What a server is to serve for `trial`.
[[nodiscard]] ServedPlugin served_plugin(const PluginCheck& trial, const Examined& plugin);

/// A sentence of the host's without the name that the trial gave the plugin.
[[nodiscard]] std::string said_by_host(std::string sentence);

/// Waits for the end of a server that has been told to, and finds what is wrong with it: a crash, a
/// hang, code that had to stay. `when` is a clause about the plugin: "drained with …".
void judge_end(Served& served, const Examined& plugin, const std::string& when, CaseResult& result);

/// Finds what has kept generations in memory; for a plugin in Rust whose runtime did it, a note.
/// True when there was something.
bool judge_retained(const Served& served, const Examined& plugin, CaseResult& result);

/// Finds that the server, or the process of an isolated plugin, has ended by itself. True when it
/// has.
bool judge_alive(Served& served, const std::string& when, CaseResult& result);

/// Finds descriptors and threads that `after` has more than `before`. `of` says what `times`
/// counts: "connection".
void judge_growth(
    const ProcessState& before,
    const ProcessState& after,
    std::uint64_t times,
    const std::string& of,
    CaseResult& result);

} // namespace switchyard::host
