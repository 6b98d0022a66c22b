#include "report.hpp"

#include <host/config/parse.hpp>
#include <host/plugin/plugin_set.hpp>

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>

namespace switchyard::host {

ExitCode check(const Target& target) {
  const auto config = load(target.config);
  if (!config) return report(target.output, config.error());
  if (const auto sentences = check_plugins(*config); !sentences.empty()) {
    return report(target.output, refusals(config->file, sentences));
  }

  if (target.output == Output::Json) {
    print(boost::json::object{{"ok", true}, {"problems", boost::json::array{}}});
  } else {
    print(
        config->file + ": fine (listeners: " + std::to_string(config->listeners.size()) +
        ", plugins: " + std::to_string(config->plugins.size()) + ")\n");
  }
  return kDone;
}

} // namespace switchyard::host
