#pragma once

#include <host/plugin/manifest.hpp>

#include <string>
#include <vector>

namespace switchyard::host {

class Generations;
class PluginSet;

/// A plugin that uses an interface of another.
struct InterfaceUser {
  const Generations* plugin;
  std::string interface;
  bool optional;
  OnSwap on_swap;
};

/// Who of those that serve uses what the serving generation of `provider` provides.
[[nodiscard]] std::vector<InterfaceUser>
users_of(const Generations& provider, const PluginSet& plugins);

/// Those of them that want `on_swap`.
[[nodiscard]] std::vector<InterfaceUser>
users_of(const Generations& provider, const PluginSet& plugins, OnSwap on_swap);

} // namespace switchyard::host
