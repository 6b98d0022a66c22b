#include <host/check/served.hpp>
#include <host/serve/run.hpp>

#include <boost/json/parse.hpp>
#include <boost/json/value.hpp>
#include <sys/prctl.h>

#include <csignal>
#include <cstdio>
#include <iostream>
#include <iterator>
#include <string>

namespace switchyard::host {

namespace json = boost::json;
using namespace std::chrono_literals;

namespace {

ListenerConfig listener(const std::string& name, const std::string& protocol) {
  ListenerConfig made;
  made.name = name;
  made.address = "127.0.0.1:0";
  made.protocol = protocol;
  return made;
}

PluginConfig plugin(const std::string& name, std::string_view library, std::string_view config) {
  PluginConfig made;
  made.name = name;
  made.library = library;
  made.config = config;
  return made;
}

} // namespace

int serve_on_trial() {
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  const std::string text{std::istreambuf_iterator<char>{std::cin}, {}};
  const auto request = json::parse(text);

  Config config;
  config.file = "plugin check";
  config.host.data_dir = request.at("directory").as_string();
  config.host.loops = 2;
  config.limits.connections_per_client = 0;
  config.limits.control_timeout = 5s;
  config.limits.drain_timeout =
      std::chrono::milliseconds{request.at("drain_ms").to_number<std::int64_t>()};
  config.swap.window = 0ms;
  // One that is demultiplexed, for plugins without a protocol; then one a protocol.
  config.listeners.push_back(listener("server", ""));
  for (const auto& protocol : request.at("protocols").as_array()) {
    const std::string name{protocol.as_string()};
    config.listeners.push_back(listener(name, name));
  }
  std::size_t number = 0;
  for (const auto& file : request.at("with").as_array())
    config.plugins.push_back(plugin("with_" + std::to_string(++number), file.as_string(), "{}"));
  config.plugins.push_back(plugin(
      std::string{kUnderTrial}, request.at("file").as_string(), request.at("config").as_string()));
  if (request.at("isolated").as_bool()) config.plugins.back().isolation = Isolation::Process;
  return run(config, [](const std::vector<std::string>& sentences) {
    for (const auto& sentence : sentences)
      std::fprintf(stderr, "refused: %s\n", sentence.c_str());
  });
}

} // namespace switchyard::host
