#include <host/check/cases.hpp>
#include <host/check/peer.hpp>
#include <host/check/served.hpp>
#include <host/check/verdicts.hpp>

#include <csignal>

namespace switchyard::host {

using namespace std::chrono_literals;

namespace {

constexpr std::size_t kOpen = 16; ///< connections a protocol

std::vector<Peer> open_on(const Served& served) {
  std::vector<Peer> open;
  for (const auto port : served.ports()) {
    for (std::size_t at = 0; at < kOpen; ++at) {
      auto peer = Peer::connect(port);
      if (!peer) return open;
      if (at % 2 == 1) peer->say(at % 4 == 1 ? "\n" : "x"); // some have begun to speak
      open.push_back(*std::move(peer));
    }
  }
  return open;
}

} // namespace

void live_and_end(const PluginCheck& trial, const Examined& plugin, CaseResult& result) {
  auto served = Served::start(served_plugin(trial, plugin));
  if (!served) return result.find(said_by_host(served.error()));
  result.did = "init, start, activate, health, drain, stop, unload";
  served->signal(SIGTERM);
  judge_end(*served, plugin, "after a life without a connection", result);
}

void end_while_serving(const PluginCheck& trial, const Examined& plugin, CaseResult& result) {
  struct End {
    const char* when;
    int first;
    int second; ///< 0: none
  };

  constexpr End kEnds[] = {
      {"drained with connections open until the deadline", SIGTERM, 0},
      {"told to drain and to abort at once", SIGINT, SIGINT},
  };
  for (const auto& end : kEnds) {
    auto wanted = served_plugin(trial, plugin);
    wanted.drain_ms = 500;
    auto served = Served::start(wanted);
    if (!served) return result.find(said_by_host(served.error()));
    const auto open = open_on(*served);
    served->signal(end.first);
    if (end.second != 0) served->signal(end.second);
    judge_end(*served, plugin, end.when, result);
  }
  result.did = "ended twice with " + std::to_string(kOpen) + " connections open on each protocol";
}

} // namespace switchyard::host
