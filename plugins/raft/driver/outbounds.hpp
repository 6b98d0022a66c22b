#pragma once

#include <plugins/raft/driver/outbound.hpp>

#include <map>

namespace switchyard::raft {

/// All that goes out to other servers. [home], except where it says otherwise
class Outbounds final : public Node::Network {
public:
  Outbounds(const Host& given, const Config& settings, const Metrics& counts)
      : host{given}, loops{given}, config{settings}, metrics{counts} {}

  void send(std::vector<Outgoing> requests) override;
  Time advance(Time now) override;

  /// Closes everything; what waits for a dial or for the disk ends when that does.
  void close();

  /// After close(): takes requests again.
  void reopen() noexcept { closed_ = false; }

  const Host host;
  const Loops loops;
  const Config& config;
  const Metrics& metrics;
  Node* node = nullptr; ///< set once, before anything is sent

private:
  std::map<std::pair<std::string, Lane>, std::unique_ptr<Outbound>> open_;
  bool closed_ = false;
};

} // namespace switchyard::raft
