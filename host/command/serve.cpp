#include "report.hpp"

#include <host/config/parse.hpp>
#include <host/serve/run.hpp>

namespace switchyard::host {

ExitCode serve(const Target& target) {
  const auto config = load(target.config);
  if (!config) return report(target.output, config.error());
  return run(*config) == 0 ? kDone : kFailed;
}

} // namespace switchyard::host
