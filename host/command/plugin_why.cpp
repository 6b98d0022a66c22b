#include "offline.hpp"
#include "report.hpp"
#include "server_answer.hpp"
#include "status_text.hpp"

#include <boost/json/object.hpp>

#include <cstdio>
#include <utility>

namespace switchyard::host {

namespace json = boost::json;

ExitCode plugin_why(const Target& target, const std::string& name) {
  const auto show = [&](const json::object& answer) {
    const auto* plugin = answer.if_contains("plugin");
    if (target.output == Output::Json || plugin == nullptr || !plugin->is_object()) {
      print(answer);
    } else {
      print(plugin_text(plugin->get_object()));
    }
    return kDone;
  };
  const auto offline = [&](const Config& config, const std::string& why) {
    for (const auto& plugin : plugins_offline(config)) {
      if (plugin.at("name").as_string() != name) continue;
      if (target.output == Output::Text) std::fprintf(stderr, "switchyard: %s\n", why.c_str());
      static_cast<void>(show({{"plugin", plugin}, {"offline", why}}));
      return kNoServer;
    }
    return report(target.output, kFailed, "no plugin \"" + name + "\" in " + config.file);
  };
  return with_answer(target, {{"command", "plugin.why"}, {"name", name}}, show, offline);
}

} // namespace switchyard::host
