#pragma once

#include <cstdint>
#include <memory>
#include <string_view>

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

/// The name of the plugin that has the place; empty for none. Lives longer than the place.
[[nodiscard]] std::string_view plugin_of(const PluginPlace& place) noexcept;

/// Counts an error of the plugin that has, or had, the place of `connection`, unless that
/// is_trial().
void count_error(InstanceServices& services, std::uint64_t connection) noexcept;

/// A place with the plugin behind `services`; empty once that drains.
[[nodiscard]] PluginPlace take_place(InstanceServices& services) noexcept;

/// The same for a connection that is_trial().
[[nodiscard]] PluginPlace take_trial_place(InstanceServices& services) noexcept;

} // namespace switchyard::host
