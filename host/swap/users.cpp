#include <host/plugin/plugin_set.hpp>
#include <host/swap/users.hpp>

#include <algorithm>

namespace switchyard::host {

std::vector<InterfaceUser> users_of(const Generations& provider, const PluginSet& plugins) {
  const auto* provided = provider.serving().manifest();
  std::vector<InterfaceUser> found;
  if (provided == nullptr) return found;
  for (const auto& plugin : plugins.plugins()) {
    const auto& serving = plugin->serving();
    if (plugin.get() == &provider || serving.state() != PluginState::Serving) continue;
    for (const auto& required : serving.manifest()->requires_) {
      if (std::ranges::find(
              provided->provides, required.interface, &ProvidedInterface::interface) ==
          provided->provides.end())
        continue;
      found.push_back({plugin.get(), required.interface, required.optional, required.on_swap});
    }
  }
  return found;
}

std::vector<InterfaceUser>
users_of(const Generations& provider, const PluginSet& plugins, OnSwap on_swap) {
  auto users = users_of(provider, plugins);
  std::erase_if(users, [on_swap](const auto& user) { return user.on_swap != on_swap; });
  return users;
}

} // namespace switchyard::host
