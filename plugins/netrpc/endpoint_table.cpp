#include <switchyard/bytes.hpp>

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

bool valid(std::string_view name, const sy_netrpc_endpoint& entry) {
  return split(name).has_value() && entry.call != nullptr;
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
  if (!valid(name, entry)) return SY_INVALID;
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

sy_status
EndpointTable::exchange(std::span<sy_registration* const> gone, std::span<const sy_binding> come) {
  const auto goes = [gone](const auto& endpoint) {
    return std::ranges::find(gone, endpoint.second.registration) != gone.end();
  };
  const std::unique_lock lock{mutex_};
  auto next = endpoints_;
  std::erase_if(next, goes);
  for (const auto& binding : come) {
    const auto& entry = *static_cast<const sy_netrpc_endpoint*>(binding.entry);
    if (!valid(view(binding.key), entry)) return SY_INVALID;
    const Endpoint endpoint{entry, binding.registration};
    if (!next.try_emplace(std::string{view(binding.key)}, endpoint).second) return SY_EXISTS;
  }
  endpoints_.swap(next);
  return SY_OK;
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
