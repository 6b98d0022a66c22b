#include "report.hpp"
#include "server_answer.hpp"
#include "status_text.hpp"

#include <boost/json/object.hpp>

namespace switchyard::host {

ExitCode status(const Target& target) {
  return with_answer(target, {{"command", "status"}}, [&](const boost::json::object& answer) {
    if (target.output == Output::Json) {
      print(answer);
    } else {
      print(status_text(answer));
    }
    const auto* ready = answer.if_contains("ready");
    return ready != nullptr && *ready == true ? kDone : kFailed;
  });
}

} // namespace switchyard::host
