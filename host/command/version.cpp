#include "report.hpp"

#include <switchyard/version.h>

#include <boost/json/object.hpp>

namespace switchyard::host {

ExitCode version(Output output) {
  const auto abi = std::to_string(SY_ABI_MAJOR) + "." + std::to_string(SY_ABI_MINOR);
  if (output == Output::Json) {
    print(boost::json::object{{"version", SWITCHYARD_VERSION}, {"abi", abi}});
  } else {
    print("switchyard " SWITCHYARD_VERSION " (plugin ABI " + abi + ")\n");
  }
  return kDone;
}

} // namespace switchyard::host
