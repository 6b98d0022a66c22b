#include "report.hpp"
#include "server_answer.hpp"
#include "status_text.hpp"

#include <boost/json/object.hpp>

namespace switchyard::host {

ExitCode reload(const Target& target, const ReloadOrder& order) {
  const auto as_json = target.output == Output::Json;
  const auto told = [as_json](const boost::json::object& line) {
    if (as_json) print(line);
  };
  const auto show = [as_json](const boost::json::object& answer) {
    if (as_json) {
      print(answer);
    } else {
      print(reload_text(answer));
    }
    return kDone;
  };
  return with_lines(
      target,
      {{"command", "reload"},
       {"dry_run", order.dry_run},
       {"keep", order.keep},
       {"discard", order.discard}},
      told,
      show);
}

} // namespace switchyard::host
