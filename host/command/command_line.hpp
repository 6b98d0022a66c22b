#pragma once

namespace switchyard::host {

/// Understands the arguments of the process and carries them out. Returns what the process exits
/// with.
[[nodiscard]] int run_command_line(int argc, char** argv);

} // namespace switchyard::host
