// The trial process of a plugin is this same program, as it is the server's.
#include <host/plugin/probe_child.hpp>

#include <gtest/gtest.h>

int main(int argc, char** argv) {
  if (argc > 1 && argv[1] == switchyard::host::kProbeCommand) switchyard::host::run_probe();
  testing::InitGoogleTest(&argc, argv);
  return RUN_ALL_TESTS();
}
