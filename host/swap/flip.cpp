#include <host/plugin/plugin_set.hpp>
#include <host/services/services.hpp>
#include <host/swap/flip.hpp>
#include <host/swap/swap_records.hpp>
#include <host/swap/users.hpp>

#include <algorithm>
#include <chrono>
#include <utility>
#include <vector>

namespace switchyard::host {
namespace {

using enum RefusalCode;

/// Keeps the consumers that want to let go of a provider first from its interfaces, while it lives.
class EdgesHeld {
public:
  EdgesHeld(Interfaces& interfaces, std::vector<InterfaceUser> users)
      : interfaces_{interfaces}, users_{std::move(users)} {}

  ~EdgesHeld() {
    for (std::size_t at = 0; at < held_; ++at)
      interfaces_.release_hold(owner(users_[at]), users_[at].interface);
  }

  EdgesHeld(const EdgesHeld&) = delete;
  EdgesHeld& operator=(const EdgesHeld&) = delete;

  /// The one that does not let go until `deadline`; null when all have.
  [[nodiscard]] const InterfaceUser* hold(Interfaces::Clock::time_point deadline) {
    while (held_ < users_.size()) {
      const auto& user = users_[held_++];
      if (!interfaces_.hold(owner(user), user.interface, deadline)) return &user;
    }
    return nullptr;
  }

private:
  static const void* owner(const InterfaceUser& user) { return &user.plugin->serving().services(); }

  Interfaces& interfaces_;
  const std::vector<InterfaceUser> users_;
  std::size_t held_ = 0;
};

/// Leases and loops lead to whoever serves now. The sentence of a loop that does not follow.
std::optional<std::string> reroute(const SwapSurroundings& around) {
  around.plugins.reroute();
  return around.follow_plugins();
}

} // namespace

OrRefusal<void> change_hands(const SwapSurroundings& around, Generations& plugin) {
  auto& before = plugin.serving();
  auto& fresh = *plugin.candidate();
  const auto serves = before.state() == PluginState::Serving;
  const auto replaces = serves || before.state() == PluginState::Quiesced;

  EdgesHeld edges{around.services.interfaces, users_of(plugin, around.plugins, OnSwap::DrainFirst)};
  const auto deadline = Interfaces::Clock::now() + around.config.limits.control_timeout;
  if (const auto* user = edges.hold(deadline)) {
    return refuse(NotDrainedFirst, plugin.name(), {user->interface, user->plugin->name()});
  }

  if (replaces) {
    if (auto taken = fresh.take_registrations(&before); !taken) return taken;
  }
  if (auto published = fresh.publish(); !published) {
    if (serves) {
      before.stand_aside();
      static_cast<void>(before.publish()); // its place was kept
    }
    if (replaces) static_cast<void>(before.take_registrations(&fresh));
    return published;
  }
  plugin.promote();
  return {};
}

void change_hands_back(Generations& plugin) {
  static_cast<void>(plugin.warm()->take_registrations(&plugin.serving())); // its keys were kept
  static_cast<void>(plugin.warm()->publish());                             // and its place
  plugin.demote();
}

OrRefusal<void> flip(const SwapSurroundings& around, Generations& plugin) {
  const auto replaces = plugin.serving().state() == PluginState::Serving;
  if (auto changed = change_hands(around, plugin); !changed) return changed;
  const auto stuck = reroute(around);
  if (!stuck || !replaces) return {};

  auto& fresh = plugin.serving();
  change_hands_back(plugin);
  static_cast<void>(reroute(around)); // the stuck loop takes both, in this order
  fresh.give_up("a loop that is stuck may still lead to it");
  return refuse(LoopStuck, plugin.name(), {*stuck});
}

bool flip_back(const SwapSurroundings& around, Generations& plugin) {
  change_hands_back(plugin);
  return !reroute(around);
}

void begin_trial(const SwapSurroundings& around, const Generations& plugin) {
  const auto kept = around.records.flipped(plugin, *plugin.warm(), around.config.host);
  if (kept) return;
  around.services.log.write(
      plugin.name(), SY_LOG_ERROR, "a crash would not be held against it: " + kept.error().text);
}

void commit(const SwapSurroundings& around, Generations& plugin, const Instance* before) {
  const auto kept = around.records.committed(plugin, before, around.config.host);
  if (!kept) {
    around.services.log.write(
        plugin.name(),
        SY_LOG_ERROR,
        "the next start will not know of the swap: " + kept.error().text);
    return;
  }
  auto config = plugin.config();
  config.swapped = *kept;
  plugin.configure(std::move(config));
  const auto said = std::ranges::find(around.config.plugins, plugin.name(), &PluginConfig::name);
  if (said != around.config.plugins.end()) said->swapped = *kept;
}

} // namespace switchyard::host
