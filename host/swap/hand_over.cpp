#include <host/plugin/control_call.hpp>
#include <host/swap/hand_over.hpp>

#include <string>
#include <utility>

namespace switchyard::host {
namespace {

using enum RefusalCode;

std::optional<std::uint32_t> format(const Instance& from, const Instance& to) {
  return common_format(from.manifest()->state, to.manifest()->state);
}

} // namespace

bool HandOver::needed(const Generations& plugin) {
  const auto* before = plugin.serving().manifest();
  return plugin.candidate()->manifest()->exclusive || (before != nullptr && before->exclusive);
}

OrRefusal<void> HandOver::possible(const Generations& plugin) {
  const auto& before = plugin.serving();
  const auto& fresh = *plugin.candidate();
  if (before.state() != PluginState::Serving) return {};
  if (before.manifest()->exclusive != fresh.manifest()->exclusive)
    return refuse(ExclusiveDiffers, plugin.name(), {fresh.manifest()->version});
  if (format(before, fresh)) return {};
  return refuse(
      StateUnreadable,
      plugin.name(),
      {fresh.manifest()->version, std::to_string(before.manifest()->state.version)});
}

bool HandOver::one_way(const Generations& plugin) {
  return !format(*plugin.candidate(), plugin.serving());
}

OrRefusal<void> HandOver::forward() {
  auto& before = plugin_.serving();
  auto& fresh = *plugin_.candidate();
  if (before.state() != PluginState::Serving) return fresh.activate();
  begun_ = Clock::now();
  auto state = before.quiesce(*format(before, fresh));
  if (!state) {
    if (state.error().code == CallHung) before.give_up(state.error().text);
    return state.error();
  }
  state_ = *std::move(state);
  auto taken = fresh.take_over(state_);
  taken_ = taken.has_value();
  return taken;
}

HandOver::Clock::duration HandOver::pause() const {
  return state_ ? Clock::now() - begun_ : Clock::duration{0};
}

OrRefusal<void> HandOver::in_time(std::chrono::milliseconds limit) const {
  if (pause() <= limit) return {};
  const auto time = std::chrono::duration_cast<std::chrono::milliseconds>(pause());
  return refuse(PauseTooLong, plugin_.name(), {duration_text(time), duration_text(limit)});
}

/// What the candidate gives back; null when it cannot. It is gone afterwards.
std::shared_ptr<const HandedOver> HandOver::given_back() {
  auto& fresh = *plugin_.candidate();
  std::shared_ptr<const HandedOver> state;
  if (const auto version = format(fresh, plugin_.serving()); version && !fresh.code_stays()) {
    if (auto quiet = fresh.quiesce(*version)) {
      state = *std::move(quiet);
    } else if (quiet.error().code == CallHung) {
      fresh.give_up(quiet.error().text);
    }
  }
  return state;
}

OrRefusal<void> HandOver::back() {
  if (!state_) {
    plugin_.discard();
    return {};
  }
  auto state = std::exchange(state_, nullptr);
  if (auto* fresh = plugin_.candidate(); fresh != nullptr) {
    if (taken_) {
      state = given_back();
    } else if (fresh->code_stays()) {
      state = nullptr; // it may have begun
    }
    plugin_.discard();
  } else {
    state = nullptr; // a stuck loop may still lead to it
  }
  auto& before = plugin_.serving();
  auto goes_on = before.go_on(state);
  if (!goes_on && state && goes_on.error().code != CallHung) goes_on = before.go_on(nullptr);
  if (goes_on) return before.publish();
  if (goes_on.error().code == CallHung) before.give_up(goes_on.error().text);
  return goes_on;
}

} // namespace switchyard::host
