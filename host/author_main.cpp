#include <host/check/served.hpp>
#include <host/command/author.hpp>
#include <host/isolate/child.hpp>
#include <host/isolate/isolated_command.hpp>
#include <host/plugin/probe_child.hpp>

#include <CLI/CLI.hpp>

#include <functional>
#include <iostream>

/// switchyard-plugin: what the SDK needs to have of the server, in a program of its own.
int main(int argc, char** argv) {
  using namespace switchyard::host;
  if (argc > 1 && argv[1] == kProbeCommand) run_probe();
  if (argc > 1 && argv[1] == kIsolatedCommand) run_isolated();
  if (argc > 1 && argv[1] == kServedCommand) return serve_on_trial();

  CLI::App app{"Begins plugins for the switchyard server, and checks them.", "switchyard-plugin"};
  app.require_subcommand(1);
  AuthorOrder order;
  std::function<ExitCode()> carry_out;
  add_author_commands(app, order, carry_out);
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return app.exit(error, std::cout, std::cerr) == 0 ? kDone : kUsage;
  }
  return carry_out();
}
