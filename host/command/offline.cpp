#include "offline.hpp"

#include <host/plugin/plugin_set.hpp>

#include <boost/json/object.hpp>

#include <string>

namespace switchyard::host {
namespace {

/// The sentences about one plugin. They name it in front; see refuse().
std::string why(const std::string& name, const std::vector<std::string>& sentences) {
  std::string all;
  const auto prefix = "plugin " + name + ": ";
  for (const auto& sentence : sentences) {
    if (!sentence.starts_with(prefix)) continue;
    all += (all.empty() ? "" : "; ") + sentence.substr(prefix.size());
  }
  return all;
}

} // namespace

boost::json::array plugins_offline(const Config& config) {
  const auto sentences = check_plugins(config);
  boost::json::array plugins;
  for (const auto& plugin : config.plugins) {
    plugins.push_back(boost::json::object{
        {"name", plugin.name},
        {"state", "not running"},
        {"why", why(plugin.name, sentences)},
        {"library", plugin.library},
        {"isolation", plugin.isolation == Isolation::Process ? "process" : "none"}});
  }
  return plugins;
}

} // namespace switchyard::host
