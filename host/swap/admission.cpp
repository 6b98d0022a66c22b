#include <host/swap/admission.hpp>

namespace switchyard::host {
namespace {

using enum RefusalCode;

std::string listed(const std::vector<std::string>& all) {
  std::string text;
  for (const auto& one : all)
    text += (text.empty() ? "" : ", ") + one;
  return text;
}

} // namespace

std::optional<Refusal> not_now(
    const SwapStanding& plugin, std::span<const SwapStanding> related, const SwapConfig& limits) {
  if (plugin.phase && *plugin.phase != SwapPhase::Window)
    return refuse(SwapUnderWay, plugin.name, {});
  for (const auto& other : related) {
    if (!other.phase) continue;
    const auto* doing =
        *other.phase == SwapPhase::Window ? "is in its rollback window" : "is being swapped";
    return refuse(SwapRelated, plugin.name, {other.name, doing});
  }
  if (!plugin.registered_for_good.empty())
    return refuse(SwapRegistrant, plugin.name, {plugin.registered_for_good});
  if (const auto& [interface, user] = plugin.pinned; !user.empty())
    return refuse(SwapPinned, plugin.name, {interface, user});
  if (plugin.retained >= kRetainedMax)
    return refuse(RetainedMax, plugin.name, {std::to_string(plugin.retained)});
  if (plugin.live >= limits.generations) {
    auto leaving = plugin.leaving;
    if (plugin.phase) leaving.insert(leaving.begin(), "the one in its rollback window");
    return refuse(
        GenerationsMax,
        plugin.name,
        {std::to_string(plugin.live), std::to_string(limits.generations), listed(leaving)});
  }
  return std::nullopt;
}

} // namespace switchyard::host
