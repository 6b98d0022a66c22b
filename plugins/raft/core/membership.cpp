#include <plugins/raft/core/core.hpp>

#include <algorithm>

namespace switchyard::raft {

using raftwire::Configuration;
using raftwire::Server;
using raftwire::Suffrage;

namespace {

using Kind = ServerChange::Kind;

/// Source: hashicorp/raft configuration.go, nextConfiguration.
Configuration changed(Configuration configuration, const ServerChange& change) {
  auto& servers = configuration.servers;
  const auto known = std::ranges::find(servers, change.id, &Server::id);
  const bool is_known = known != servers.end();
  switch (change.kind) {
  case Kind::AddVoter:
  case Kind::AddNonvoter: {
    const bool votes = change.kind == Kind::AddVoter || (is_known && known->voter());
    const Server server{votes ? Suffrage::Voter : Suffrage::Nonvoter, change.id, change.address};
    if (is_known) {
      *known = server;
    } else {
      servers.push_back(server);
    }
    break;
  }
  case Kind::Demote:
    if (is_known) known->suffrage = Suffrage::Nonvoter;
    break;
  case Kind::Remove:
    if (is_known) servers.erase(known);
    break;
  }
  return configuration;
}

} // namespace

void Core::change(CallId call, const ServerChange& change, Time now) {
  if (!accepts(call, now)) return;
  const bool earlier_open = configurations_.latest_index() > commit_ || commit_ < start_index_;
  const bool outdated =
      change.previous_index != 0 && change.previous_index != configurations_.latest_index();
  const auto next = changed(configurations_.latest(), change);
  if (earlier_open || outdated || !next.valid()) return finish(call, Outcome::Refused);

  own_data_ = raftwire::encode_configuration(next);
  append_call(call, raftwire::EntryType::Configuration, own_data_, {});
  sync_peers(now);
}

} // namespace switchyard::raft
