#include <host/plugin/plugin_set.hpp>
#include <host/swap/candidate.hpp>
#include <host/swap/hand_over.hpp>

#include <string>

namespace switchyard::host {
namespace {

using enum RefusalCode;

/// How often it must say in a row that it is well before it serves.
constexpr int kHealthChecks = 3;

} // namespace

OrRefusal<void> begin_work(Generations& plugin, HandOver* hand_over) {
  auto& candidate = *plugin.candidate();
  const auto active = hand_over != nullptr ? hand_over->forward() : candidate.activate();
  if (active && !candidate.unbound().empty())
    return refuse(Unbound, plugin.name(), {candidate.unbound().front()});
  return active;
}

OrRefusal<void> prove_well(Instance& fresh) {
  for (int check = 0; check < kHealthChecks; ++check) {
    const auto well = fresh.health();
    if (well) continue;
    if (well.error().code == CallHung) fresh.give_up(well.error().text);
    return well;
  }
  return {};
}

Refusal withdraw(
    const SwapSurroundings& around, Generations& plugin, HandOver& hand_over, const Refusal& why) {
  const auto back = hand_over.back();
  if (back) return why;
  auto& lost = plugin.serving();
  const auto number = std::to_string(lost.generation());
  auto refusal = refuse(NotGoneOn, plugin.name(), {number, back.error().text, why.text});
  around.plugins.reroute();
  static_cast<void>(around.follow_plugins());
  if (!lost.code_stays()) lost.fail(refusal);
  return refusal;
}

} // namespace switchyard::host
