#include <plugins/raft/core/configurations.hpp>

#include <boost/assert.hpp>

#include <algorithm>

namespace switchyard::raft {

using raftwire::Configuration;
using raftwire::Server;

bool Configurations::may_vote(std::string_view id) const noexcept {
  return std::ranges::any_of(stored_, [id](const StoredConfiguration& stored) {
    const auto* server = stored.configuration.find(id);
    return server != nullptr && server->voter();
  });
}

std::size_t Configurations::count_after(std::uint64_t index) const noexcept {
  const auto after = std::ranges::upper_bound(stored_, index, {}, &StoredConfiguration::index);
  return static_cast<std::size_t>(stored_.end() - after);
}

void Configurations::append(std::uint64_t index, Configuration configuration) {
  BOOST_ASSERT(index > latest_index());
  stored_.push_back({index, std::move(configuration)});
}

void Configurations::truncate(std::uint64_t index) {
  while (stored_.size() > 1 && stored_.back().index >= index)
    stored_.pop_back();
}

void Configurations::commit(std::uint64_t index) {
  const auto uncommitted =
      std::ranges::upper_bound(stored_, index, {}, &StoredConfiguration::index);
  if (uncommitted == stored_.begin()) return;
  stored_.erase(stored_.begin(), std::prev(uncommitted));
}

void Configurations::rebase(StoredConfiguration base, std::uint64_t index) {
  const auto after = std::ranges::upper_bound(stored_, index, {}, &StoredConfiguration::index);
  stored_.erase(stored_.begin(), after);
  stored_.insert(stored_.begin(), std::move(base));
}

std::size_t majority(const Configuration& configuration) noexcept {
  const auto voters = std::ranges::count_if(configuration.servers, &Server::voter);
  return voters == 0 ? 0 : static_cast<std::size_t>(voters) / 2 + 1;
}

bool sole_voter(const Configuration& configuration, std::string_view id) noexcept {
  const auto* self = configuration.find(id);
  return self != nullptr && self->voter() &&
         std::ranges::count_if(configuration.servers, &Server::voter) == 1;
}

} // namespace switchyard::raft
