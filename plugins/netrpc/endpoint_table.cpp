#include <plugins/netrpc/endpoint_table.hpp>
#include <proto/netrpc/service_method.hpp>

#include <algorithm>
#include <mutex>
#include <utility>

namespace switchyard::netrpc {
namespace {

bool serves(const sy_netrpc_endpoint& entry, Audience audience) noexcept {
  return ((entry.flags & SY_NETRPC_INSECURE) != 0) == (audience == Audience::Insecure);
}

} // namespace

EndpointUse::EndpointUse(EndpointUse&& other) noexcept
    : entry_{other.entry_},
      journal_{other.journal_},
      registration_{std::exchange(other.registration_, nullptr)} {}

EndpointUse& EndpointUse::operator=(EndpointUse&& other) noexcept {
  release();
  entry_ = other.entry_;
  journal_ = other.journal_;
  registration_ = std::exchange(other.registration_, nullptr);
  return *this;
}

void EndpointUse::release() noexcept {
  if (registration_ != nullptr) journal_->leave(std::exchange(registration_, nullptr));
}

sy_status EndpointTable::add(
    std::string_view name, const sy_netrpc_endpoint& entry, sy_registration* registration) {
  if (!split(name) || entry.call == nullptr) return SY_INVALID;
  const std::unique_lock lock{mutex_};
  const auto [place, added] =
      endpoints_.try_emplace(std::string{name}, Endpoint{entry, registration});
  return added ? SY_OK : SY_EXISTS;
}

void EndpointTable::remove(sy_registration* registration) {
  const std::unique_lock lock{mutex_};
  std::erase_if(endpoints_, [registration](const auto& endpoint) {
    return endpoint.second.registration == registration;
  });
}

EndpointTable::Missing
EndpointTable::find(std::string_view name, Audience audience, EndpointUse& use) const {
  const std::shared_lock lock{mutex_};
  const auto found = endpoints_.find(name);
  if (found == endpoints_.end() || !serves(found->second.entry, audience)) {
    return missing(name, audience);
  }
  auto* registration = found->second.registration;
  // One that is going away is as good as gone.
  if (registration != nullptr && journal_.enter(registration) != SY_OK) {
    return missing(name, audience);
  }
  use = EndpointUse{found->second.entry, journal_, registration};
  return Missing::Nothing;
}

EndpointTable::Missing EndpointTable::missing(std::string_view name, Audience audience) const {
  const auto asked = split(name);
  if (!asked) return Missing::Dot;
  const auto known = std::ranges::any_of(endpoints_, [&](const auto& endpoint) {
    return serves(endpoint.second.entry, audience) &&
           split(endpoint.first)->service == asked->service;
  });
  return known ? Missing::Method : Missing::Service;
}

} // namespace switchyard::netrpc
