#include <host/listen/endpoint.hpp>
#include <host/listen/listening.hpp>

#include <algorithm>
#include <utility>

namespace switchyard::host {

namespace net = boost::asio;

namespace {

std::string cannot_listen(
    const Config& config,
    const ListenerConfig& listener,
    const net::ip::tcp::endpoint& endpoint,
    const boost::system::error_code& why) {
  return config.file + ":" + std::to_string(listener.place.line) + ": listener '" + listener.name +
         "' cannot listen on " + to_string(endpoint) + ": " + why.message();
}

/// Those that no loop would have are not accepted from.
std::string too_many(
    const Config& config, const ListenerConfig& listener, std::size_t sockets, std::size_t loops) {
  return config.file + ":" + std::to_string(listener.place.line) + ": listener '" + listener.name +
         "' is given " + std::to_string(sockets) + " sockets by LISTEN_FDS and has " +
         std::to_string(loops) + " loops: leave some out of the socket unit, or raise host.loops";
}

} // namespace

bool same_sockets(const ListenerConfig& a, const ListenerConfig& b) {
  const auto address = parse_address(a.address);
  if (!address || address != parse_address(b.address)) return false;
  return address->port != 0 || a.name == b.name;
}

const Listening::Listener* Listening::find(const ListenerConfig& wanted) const {
  const auto found = std::ranges::find_if(
      listeners_, [&](const Listener& one) { return same_sockets(one.config, wanted); });
  return found == listeners_.end() ? nullptr : &*found;
}

bool Listening::has_port(std::uint16_t port) const {
  return std::ranges::any_of(listeners_, [&](const Listener& one) {
    return one.sockets.front()->local_endpoint().port() == port;
  });
}

std::vector<std::string>
Listening::judge(const Config& config, const Listening& before, const Inherited& inherited) {
  std::vector<std::string> problems;
  for (const auto& listener : config.listeners) {
    const auto endpoint = *parse_endpoint(listener.address); // checked with the configuration
    if (!inherited.of(listener).empty()) continue;
    // Whether others have a port that we listen on ourselves, elsewhere, cannot be told.
    if (before.find(listener) != nullptr || before.has_port(endpoint.port())) continue;
    if (const auto taken = Acceptor::try_alone(endpoint))
      problems.push_back(cannot_listen(config, listener, endpoint, taken));
  }
  return problems;
}

boost::system::result<Listening, std::vector<std::string>> Listening::bind(
    const Config& config,
    std::span<Loop* const> loops,
    const Listening& before,
    const Inherited& inherited) {
  auto problems = judge(config, before, inherited);
  if (!problems.empty()) return problems;
  Listening bound;
  for (const auto& listener : config.listeners) {
    auto& made = bound.listeners_.emplace_back();
    made.config = listener;
    if (const auto* known = before.find(listener)) {
      made.sockets = known->sockets;
      made.fresh = false;
      made.inherited = known->inherited;
      continue;
    }
    const auto shared = inherited.of(listener);
    made.inherited = !shared.empty();
    if (shared.size() > loops.size()) {
      problems.push_back(too_many(config, listener, shared.size(), loops.size()));
      continue;
    }
    auto endpoint = *parse_endpoint(listener.address);
    for (std::size_t at = 0; at < loops.size(); ++at) {
      auto acceptor = shared.empty() ? Acceptor::bind(*loops[at], endpoint)
                                     : Acceptor::share(*loops[at], shared[at % shared.size()]);
      if (!acceptor) {
        problems.push_back(cannot_listen(config, listener, endpoint, acceptor.error()));
        break;
      }
      endpoint = (*acceptor)->local_endpoint(); // the other loops join the port that 0 became
      made.sockets.push_back(*std::move(acceptor));
    }
  }
  if (!problems.empty()) return problems;
  return bound;
}

bool Listening::outlives() const noexcept {
  return std::ranges::any_of(listeners_, &Listener::inherited);
}

void Listening::settle() noexcept {
  for (auto& listener : listeners_)
    listener.fresh = false;
}

std::string Listening::address(std::size_t listener) const {
  return to_string(listeners_[listener].sockets.front()->local_endpoint());
}

std::uint64_t Listening::accepted(std::size_t listener) const {
  std::uint64_t sum = 0;
  for (const auto& socket : listeners_[listener].sockets)
    sum += socket->accepted();
  return sum;
}

} // namespace switchyard::host
