#include "offline.hpp"
#include "report.hpp"
#include "server_answer.hpp"
#include "status_text.hpp"

#include <boost/json/object.hpp>

#include <cstdio>
#include <utility>

namespace switchyard::host {

namespace json = boost::json;

ExitCode plugin_list(const Target& target) {
  const auto show = [&](const json::object& answer) {
    const auto* plugins = answer.if_contains("plugins");
    if (target.output == Output::Json || plugins == nullptr || !plugins->is_array()) {
      print(answer);
    } else {
      print(plugins_text(plugins->get_array()));
    }
    return kDone;
  };
  const auto offline = [&](const Config& config, const std::string& why) {
    if (target.output == Output::Text) std::fprintf(stderr, "switchyard: %s\n", why.c_str());
    static_cast<void>(show({{"plugins", plugins_offline(config)}, {"offline", why}}));
    return kNoServer;
  };
  return with_answer(target, {{"command", "plugin.list"}}, show, offline);
}

} // namespace switchyard::host
