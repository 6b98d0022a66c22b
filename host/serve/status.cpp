#include <host/serve/server.hpp>
#include <host/serve/totals.hpp>

#include <boost/json/array.hpp>

#include <unistd.h>

namespace switchyard::host {

namespace json = boost::json;

namespace {

/// The process of an isolated one.
void add_process(json::object& object, const Instance& generation) {
  const auto standing = generation.isolated();
  if (!standing) return;
  object["process"] = {
      {"pid", standing->process},
      {"restarts", standing->restarts},
      {"last_end", standing->last_end}};
}

json::object describe(const Instance& plugin) {
  json::object object{
      {"name", plugin.name()},
      {"state", to_string(plugin.state())},
      {"why", plugin.why()},
      {"library", plugin.library()},
      {"staged", plugin.staged()},
      {"sha256", plugin.sha256()},
      {"generation", plugin.generation()},
      {"isolation", plugin.origin().config.isolation == Isolation::Process ? "process" : "none"}};
  add_process(object, plugin);
  if (const auto* manifest = plugin.manifest(); manifest != nullptr) {
    object["id"] = manifest->id;
    object["version"] = manifest->version;
    json::array protocols;
    json::array trials;
    for (const auto& protocol : manifest->protocols) {
      protocols.emplace_back(protocol.name);
      if (protocol.trial) trials.emplace_back(protocol.name);
    }
    object["protocols"] = std::move(protocols);
    object["trials"] = std::move(trials);
  }
  return object;
}

/// What one of several generations has by itself.
json::object describe_generation(const Instance& generation) {
  json::object object{
      {"generation", generation.generation()},
      {"state", to_string(generation.state())},
      {"why", generation.why()}};
  if (const auto* manifest = generation.manifest(); manifest != nullptr)
    object["version"] = manifest->version;
  add_process(object, generation);
  using enum PluginState;
  const auto state = generation.state();
  if (state == Serving || state == Warm || state == Draining) {
    const auto& services = generation.services();
    object["connections"] = services.connections.load(std::memory_order_relaxed);
    object["errors"] = services.errors.load(std::memory_order_relaxed);
  }
  return object;
}

json::object describe(const Generations& plugin) {
  auto object = describe(plugin.serving());
  json::array generations;
  plugin.each([&](const Instance& each) { generations.emplace_back(describe_generation(each)); });
  for (const auto* key : {"connections", "errors"}) {
    const auto& serving = generations.front().get_object();
    if (serving.contains(key)) object[key] = serving.at(key);
  }
  object["generations"] = std::move(generations);
  return object;
}

} // namespace

json::object Server::status() const {
  json::array listeners;
  for (std::size_t i = 0; i < config_.listeners.size(); ++i) {
    listeners.emplace_back(json::object{
        {"name", config_.listeners[i].name},
        {"address", bound_address(i)},
        {"protocol", config_.listeners[i].protocol},
        {"tls", config_.listeners[i].tls},
        {"accepted", in_use_.listening.accepted(i)}});
  }

  const auto sum = totals(loops_);
  json::object reasons;
  for (std::size_t i = 0; i < sum.closed.size(); ++i)
    reasons[to_string(static_cast<CloseReason>(i))] = sum.closed[i];

  json::array plugins;
  for (const auto& plugin : plugins_->plugins())
    plugins.emplace_back(describe(*plugin));
  for (const auto& plugin : plugins_->parting())
    plugins.emplace_back(describe(*plugin));

  const auto uptime = std::chrono::steady_clock::now() - started_;
  return {
      {"version", SWITCHYARD_VERSION},
      {"pid", ::getpid()},
      {"uptime_s", std::chrono::duration<double>{uptime}.count()},
      {"ready", ready_},
      {"config", config_.file},
      {"loops", loops_.size()},
      {"listeners", std::move(listeners)},
      {"connections",
       json::object{
           {"open", sum.open}, {"accepted", sum.accepted}, {"closed", std::move(reasons)}}},
      {"plugins", std::move(plugins)}};
}

std::optional<json::object> Server::plugin_status(std::string_view name) const {
  const auto* plugin = plugins_->find(name);
  if (plugin == nullptr) return std::nullopt;
  return describe(*plugin);
}

} // namespace switchyard::host
