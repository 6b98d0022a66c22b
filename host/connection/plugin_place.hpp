#pragma once

#include <memory>

namespace switchyard::host {

struct InstanceServices;

namespace detail {
struct GiveBackPlace {
  void operator()(InstanceServices* services) const noexcept;
};
} // namespace detail

/// A plugin's hold on one connection: while it is out the plugin is not stopped. Empty before
/// routing.
using PluginPlace = std::unique_ptr<InstanceServices, detail::GiveBackPlace>;

/// Counts an error of the plugin that has the place.
void count_error(InstanceServices& services) noexcept;

/// A place with the plugin behind `services`; empty once that drains.
[[nodiscard]] PluginPlace take_place(InstanceServices& services) noexcept;

} // namespace switchyard::host
