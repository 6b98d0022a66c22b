#include <host/plugin/plugin_set.hpp>
#include <host/services/services.hpp>
#include <host/swap/swap_plan.hpp>
#include <host/swap/trial.hpp>
#include <host/swap/unloading.hpp>
#include <host/swap/users.hpp>

#include <boost/json/array.hpp>

#include <string_view>

namespace switchyard::host {

namespace json = boost::json;

namespace {

json::object brief(const Instance& generation) {
  json::object object{
      {"generation", generation.generation()},
      {"library", generation.library()},
      {"sha256", generation.sha256()}};
  if (const auto* manifest = generation.manifest(); manifest != nullptr) {
    object["version"] = manifest->version;
    json::array protocols;
    for (const auto& protocol : manifest->protocols)
      protocols.emplace_back(protocol.name);
    object["protocols"] = std::move(protocols);
    json::array trials;
    for (const auto& protocol : trials_of(generation))
      trials.emplace_back(protocol);
    object["trials"] = std::move(trials);
  }
  return object;
}

constexpr std::string_view word(OnSwap on_swap) {
  constexpr std::string_view kWords[] = {"rebind", "restart", "drain_first", "pin"};
  return kWords[static_cast<std::size_t>(on_swap)];
}

} // namespace

OrRefusal<json::object> plan_swap(
    Generations& plugin,
    const std::string& library,
    const PluginSet& plugins,
    const Services& services) {
  auto& fresh = plugin.prepare(plugin.file(library));
  auto judged = fresh.verify();
  if (judged) judged = plugins.fits(plugin);
  if (judged) judged = fresh.probe();
  const auto to = brief(fresh);
  plugin.discard();
  if (!judged) return judged.error();

  const auto& serving = plugin.serving();
  json::object plan{{"plugin", plugin.name()}, {"from", brief(serving)}, {"to", to}};
  json::array users;
  json::array registrations;
  if (const auto* manifest = serving.manifest(); manifest != nullptr) {
    for (const auto& user : users_of(plugin, plugins)) {
      users.emplace_back(json::object{
          {"plugin", user.plugin->name()},
          {"interface", user.interface},
          {"optional", user.optional},
          {"on_swap", word(user.on_swap)}});
    }
    for (const auto& provided : manifest->provides) {
      for (const auto& each : services.journal.registered_with(provided.interface))
        registrations.emplace_back(provided.interface + ' ' + each);
    }
  }
  plan["dependents"] = std::move(users);
  plan["registrations"] = std::move(registrations);
  plan["connections"] =
      serving.state() == PluginState::Serving ? serving.services().connections.load() : 0;
  const auto unloading = foresee_unloading(plugin, services.interfaces);
  plan["unload"] = {
      {"expected", unloading.doubts.empty()},
      {"doubts", json::array(unloading.doubts.begin(), unloading.doubts.end())},
      {"ends_first", json::array(unloading.ends_first.begin(), unloading.ends_first.end())}};
  json::array stayed;
  for (const auto& generation : plugin.leaving()) {
    if (generation->code_stays()) stayed.emplace_back(generation->why());
  }
  plan["stayed_in_memory"] = std::move(stayed);
  return plan;
}

} // namespace switchyard::host
