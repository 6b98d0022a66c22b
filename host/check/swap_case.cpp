#include <host/check/cases.hpp>
#include <host/check/peer.hpp>
#include <host/check/served.hpp>
#include <host/check/verdicts.hpp>

#include <algorithm>
#include <chrono>
#include <csignal>
#include <poll.h>

namespace switchyard::host {

using namespace std::chrono_literals;
using Clock = std::chrono::steady_clock;

namespace {

constexpr std::uint32_t kWarm = 10;             ///< swaps until pools and arenas have grown
constexpr std::uint64_t kGrowthMax = 64 * 1024; ///< bytes a swap
constexpr std::uint32_t kGrowthFrom = 20;       ///< swaps below which pages say nothing
constexpr std::size_t kRetainedTold = 3;        ///< generations; then there is no need for more
constexpr auto kLeaveLimit = 20s;

/// Waits until the old generation has left; false when it has not within the limit.
bool left(const Served& served) {
  const auto deadline = Clock::now() + kLeaveLimit;
  for (;;) {
    const auto plugin = served.plugin();
    const auto* generations = plugin.if_contains("generations");
    if (generations == nullptr) return true; // the server has gone, which is seen elsewhere
    const auto going = std::ranges::count_if(generations->as_array(), [](const auto& each) {
      return each.at("state") == "draining" || each.at("state") == "warm" ||
             each.at("state") == "stopped";
    });
    if (going == 0) return true;
    if (Clock::now() > deadline) return false;
    static_cast<void>(::poll(nullptr, 0, 2));
  }
}

/// One swap, with a connection of each protocol open across the flip. False: enough is known.
bool swap_once(Served& served, std::uint32_t number, CaseResult& result) {
  const auto when = "in swap " + std::to_string(number);
  std::vector<Peer> across;
  for (const auto port : served.ports()) {
    if (auto peer = Peer::connect(port)) across.push_back(*std::move(peer));
  }
  const auto swapped = served.swap();
  if (judge_alive(served, when, result)) return false;
  if (!swapped) {
    result.find(when + ", the new generation was refused: " + said_by_host(swapped.error()));
    return false;
  }
  across.clear(); // their peers go, and the old generation with them
  if (!left(served)) {
    result.find(
        when + ", the old generation had not left after 20 s although its peers had: end a "
               "connection when its peer has, and call done() of drain()");
    return false;
  }
  return !judge_alive(served, when, result);
}

} // namespace

void swap_often(const PluginCheck& trial, const Examined& plugin, CaseResult& result) {
  auto served = Served::start(served_plugin(trial, plugin));
  if (!served) return result.find(said_by_host(served.error()));
  ProcessState before;
  std::uint32_t done = 0;
  while (done < trial.swaps) {
    if (!swap_once(*served, done + 1, result)) break;
    if (++done == kWarm) before = served->state();
    if (served->retained().size() >= kRetainedTold) break;
  }
  result.did = std::to_string(done) + " swaps";
  if (result.verdict == Verdict::Found) return;

  const auto counted = done - std::min(done, kWarm);
  const auto after = served->settled(before);
  if (judge_retained(*served, plugin, result)) return; // which explains the rest
  if (counted > 0) judge_growth(before, after, counted, "swap", result);
  if (counted >= kGrowthFrom && after.resident > before.resident &&
      (after.resident - before.resident) / counted > kGrowthMax)
    result.find(
        std::to_string((after.resident - before.resident) / counted / 1024) +
        " KiB of memory stay behind with each swap: free in destroy() what the instance has "
        "allocated");
  served->signal(SIGTERM);
  judge_end(*served, plugin, "after " + std::to_string(done) + " swaps", result);
}

} // namespace switchyard::host
