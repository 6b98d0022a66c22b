#include <host/plugin/plugin_set.hpp>
#include <host/services/journal.hpp>
#include <host/swap/swap_plan.hpp>

#include <boost/json/array.hpp>

#include <algorithm>

namespace switchyard::host {

namespace json = boost::json;

namespace {

json::object brief(const Instance& generation) {
  json::object object{
      {"generation", generation.generation()},
      {"library", generation.library()},
      {"sha256", generation.sha256()}};
  if (const auto* manifest = generation.manifest(); manifest != nullptr)
    object["version"] = manifest->version;
  return object;
}

/// Who calls an interface of `provider`, and through what.
json::array dependents(const Manifest& provider, const PluginSet& plugins) {
  json::array found;
  for (const auto& plugin : plugins.plugins()) {
    const auto* manifest = plugin->serving().manifest();
    if (manifest == nullptr || manifest == &provider) continue;
    for (const auto& required : manifest->requires_) {
      if (std::ranges::find(provider.provides, required.interface, &ProvidedInterface::interface) ==
          provider.provides.end())
        continue;
      found.emplace_back(json::object{
          {"plugin", plugin->name()},
          {"interface", required.interface},
          {"optional", required.optional}});
    }
  }
  return found;
}

} // namespace

OrRefusal<json::object> plan_swap(
    Generations& plugin,
    const std::string& library,
    const PluginSet& plugins,
    const Journal& journal) {
  auto& fresh = plugin.prepare(library);
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
    users = dependents(*manifest, plugins);
    for (const auto& provided : manifest->provides) {
      for (const auto& each : journal.registered_with(provided.interface))
        registrations.emplace_back(provided.interface + ' ' + each);
    }
  }
  plan["dependents"] = std::move(users);
  plan["registrations"] = std::move(registrations);
  plan["connections"] =
      serving.state() == PluginState::Serving ? serving.services().connections.load() : 0;
  json::array stayed;
  for (const auto& generation : plugin.leaving()) {
    if (generation->code_stays()) stayed.emplace_back(generation->why());
  }
  plan["stayed_in_memory"] = std::move(stayed);
  return plan;
}

} // namespace switchyard::host
