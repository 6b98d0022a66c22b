#pragma once

#include <host/command/commands.hpp>
#include <host/config/isolation.hpp>

#include <CLI/App.hpp>

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

namespace switchyard::host {

/// A project that `plugin new` begins.
struct NewOrder {
  std::string id;
  std::string language = "c";
  std::string folder; ///< empty: named after the last word of the id
  Output output = Output::Text;
};

/// A plugin's file that `plugin check` puts through what a host would.
struct CheckOrder {
  std::string file;
  std::string config = "{}";
  std::vector<std::string> with;
  bool quick = false;
  std::uint32_t swaps = 0; ///< 0: 1000, or with `quick` 20
  std::uint64_t seed = 1;
  Isolation isolation = Isolation::None;
  Output output = Output::Text;
};

/// What an author of plugins can ask for, of `switchyard plugin` and of `switchyard-plugin` alike.
struct AuthorOrder {
  NewOrder project;
  CheckOrder check;
};

/// Adds the commands of an author to `parent`. Whichever is named puts what it does into
/// `carry_out`; both outlive the parsing.
void add_author_commands(
    CLI::App& parent, AuthorOrder& order, std::function<ExitCode()>& carry_out);

// One file each, as those of commands.hpp.
[[nodiscard]] ExitCode plugin_new(const NewOrder& order);
[[nodiscard]] ExitCode plugin_check(const CheckOrder& order);

} // namespace switchyard::host
