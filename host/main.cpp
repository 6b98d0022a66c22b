#include <host/check/served.hpp>
#include <host/command/command_line.hpp>
#include <host/isolate/child.hpp>
#include <host/isolate/isolated_command.hpp>
#include <host/plugin/probe_child.hpp>

int main(int argc, char** argv) {
  using namespace switchyard::host;
  // The trial process of a plugin starts often and must start fast.
  if (argc > 1 && argv[1] == kProbeCommand) run_probe();
  if (argc > 1 && argv[1] == kIsolatedCommand) run_isolated();
  if (argc > 1 && argv[1] == kServedCommand) return serve_on_trial();
  return run_command_line(argc, argv);
}
