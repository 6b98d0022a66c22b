#pragma once

namespace switchyard::host {

/// What the process says at its end. Listed by `switchyard --help`.
enum ExitCode : int {
  kDone = 0,
  kFailed = 1,   ///< refused or failed: the sentence says why
  kUsage = 2,    ///< the command line was not understood
  kNoServer = 3, ///< no server answers on the control socket
};

} // namespace switchyard::host
