#include <host/check/cases.hpp>
#include <host/check/peer.hpp>
#include <host/check/served.hpp>
#include <host/check/verdicts.hpp>

#include <algorithm>
#include <csignal>
#include <functional>
#include <random>

namespace switchyard::host {

using namespace std::chrono_literals;

namespace {

constexpr std::size_t kTogether = 50; ///< connections open at once
constexpr std::size_t kWarm = 8;      ///< rounds until pools and buffers have grown
constexpr auto kSettle = 10s;
constexpr std::size_t kNonsenseMax = 4096;

/// What one connection does, the `at`-th of all; it may still be open when that returns.
using Behave = std::function<void(Peer& peer, std::size_t at)>;

/// Has `count` connections behave on the protocols in turn; false when the server has gone.
bool behave(const Served& served, std::size_t count, const Behave& how) {
  std::vector<Peer> open;
  for (std::size_t at = 0; at < count; ++at) {
    auto peer = Peer::connect(served.ports()[at % served.ports().size()]);
    if (!peer) return false;
    how(*peer, at);
    open.push_back(*std::move(peer));
    if (open.size() >= kTogether) open.clear();
  }
  return true;
}

/// A server under this behaviour: what it has left open and running afterwards is found.
void under(
    const PluginCheck& trial,
    const Examined& plugin,
    const Behave& how,
    const std::string& when,
    CaseResult& result) {
  auto served = Served::start(served_plugin(trial, plugin));
  if (!served) return result.find(said_by_host(served.error()));
  const auto alive = [&] { return !judge_alive(*served, when, result); };

  behave(*served, kWarm * kTogether, how);
  if (!alive()) return;
  static_cast<void>(served->connections_left(kSettle));
  const auto before = served->state();
  behave(*served, trial.connections, how);
  if (!alive()) return;

  if (const auto left = served->connections_left(kSettle); left != 0)
    result.find(
        std::to_string(left) + " of " + std::to_string(trial.connections) +
        " connections stayed open 10 s after their peers had gone: close one whose peer has "
        "closed or reset it");
  const auto after = served->settled(before);
  if (!alive()) return;
  judge_growth(before, after, trial.connections, "connection", result);
  served->signal(SIGTERM);
  judge_end(*served, plugin, when, result);
}

std::string nonsense(std::mt19937_64& random) {
  std::uniform_int_distribution<std::size_t> sizes{1, kNonsenseMax};
  std::uniform_int_distribution<int> bytes{0, 255};
  std::string text(sizes(random), '\0');
  switch (random() % 4) {
  case 0: std::ranges::generate(text, [&] { return static_cast<char>(bytes(random)); }); break;
  case 1: std::ranges::fill(text, static_cast<char>(bytes(random))); break;
  case 2: { // lengths that promise more than comes
    std::ranges::fill(text, '\xff');
    text[0] = static_cast<char>(bytes(random));
    break;
  }
  default: { // what others begin with
    constexpr std::string_view kBegins[] = {
        "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
        "GET / HTTP/1.1\r\nHost: a\r\n\r\n",
        "\x16\x03\x01",
        "{\"a\":"};
    const auto begin = kBegins[random() % 4];
    std::ranges::generate(text, [&] { return static_cast<char>(bytes(random)); });
    text.insert(0, begin);
  }
  }
  return text;
}

} // namespace

void come_and_go(const PluginCheck& trial, const Examined& plugin, CaseResult& result) {
  result.did = std::to_string(trial.connections) + " connections that come and go";
  under(
      trial,
      plugin,
      [](Peer& peer, std::size_t at) {
        switch (at / 7 % 5) {
        case 0: break; // says nothing
        case 1: peer.shut_write(); break;
        case 2:
          peer.say("a");
          peer.reset();
          break;
        case 3:
          peer.say("\n");
          peer.shut_write();
          break;
        default: peer.reset();
        }
      },
      "while connections came and went",
      result);
}

void talk_nonsense(const PluginCheck& trial, const Examined& plugin, CaseResult& result) {
  result.did = std::to_string(trial.connections) + " malformed connections, --seed " +
               std::to_string(trial.seed);
  std::mt19937_64 random{trial.seed};
  under(
      trial,
      plugin,
      [&random](Peer& peer, std::size_t at) {
        const auto text = nonsense(random);
        const auto half = text.size() / 2;
        peer.say(std::string_view{text}.substr(0, half));
        peer.say(std::string_view{text}.substr(half));
        if (at % 3 == 0) peer.shut_write();
        if (at % 3 == 1) peer.reset();
      },
      "while malformed connections came (--seed " + std::to_string(trial.seed) + ")",
      result);
}

} // namespace switchyard::host
