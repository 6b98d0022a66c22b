#include <host/services/instance_services.hpp>
#include <host/services/interfaces.hpp>
#include <host/services/quiescence.hpp>

#include <boost/assert.hpp>

#include <algorithm>
#include <atomic>
#include <string>

namespace switchyard::host {
namespace {

struct Provider {
  const void* table;
  void* instance;
};

/// One interface id. Lives as long as Interfaces, so that a handle can outlive every provider.
struct Slot {
  std::string id;
  std::atomic<const Provider*> provider{nullptr};
};

} // namespace
} // namespace switchyard::host

struct sy_interface {
  switchyard::host::Slot& slot;
  switchyard::host::Quiescence& quiescence;
  const void* owner;
  std::string consumer;
  bool closed = false; ///< guarded by quiescence.mutex
  std::atomic<std::size_t> leases{0};

  void give_back() noexcept { quiescence.give_back(leases); }
};

namespace switchyard::host {

struct Interfaces::State {
  Quiescence quiescence;
  std::vector<std::unique_ptr<Slot>> slots;
  std::vector<std::unique_ptr<const Provider>> providers; ///< those whose lease may still be out
  std::vector<std::unique_ptr<sy_interface>> handles;

  Slot& slot(std::string_view id) {
    const auto found =
        std::ranges::find(slots, id, [](const auto& s) -> std::string_view { return s->id; });
    if (found != slots.end()) return **found;
    slots.push_back(std::make_unique<Slot>());
    slots.back()->id = id;
    return *slots.back();
  }

  void free_closed() {
    std::erase_if(
        handles, [](const auto& handle) { return handle->closed && handle->leases == 0; });
  }
};

Interfaces::Interfaces() : state_{std::make_unique<State>()} {}

Interfaces::~Interfaces() = default;

void Interfaces::publish(std::string_view id, const void* table, void* provider) {
  const std::lock_guard lock{state_->quiescence.mutex};
  auto& slot = state_->slot(id);
  BOOST_ASSERT(slot.provider == nullptr);
  state_->providers.push_back(std::make_unique<const Provider>(Provider{table, provider}));
  slot.provider = state_->providers.back().get();
}

std::vector<std::string> Interfaces::revoke(std::string_view id, Clock::time_point deadline) {
  std::unique_lock lock{state_->quiescence.mutex};
  auto& slot = state_->slot(id);
  const auto* provider = slot.provider.exchange(nullptr);
  if (provider == nullptr) return {};

  const auto leased = [&](const auto& handle) {
    return &handle->slot == &slot && handle->leases != 0;
  };
  const auto quiet = state_->quiescence.wait_until(
      lock, deadline, [&] { return std::ranges::none_of(state_->handles, leased); });

  std::vector<std::string> consumers;
  if (quiet) {
    std::erase_if(state_->providers, [&](const auto& known) { return known.get() == provider; });
  } else {
    for (const auto& handle : state_->handles) {
      if (leased(handle)) consumers.push_back(handle->consumer);
    }
  }
  state_->free_closed();
  return consumers;
}

sy_interface* Interfaces::open(const void* owner, std::string_view consumer, std::string_view id) {
  const std::lock_guard lock{state_->quiescence.mutex};
  state_->free_closed();
  return state_->handles
      .emplace_back(
          new sy_interface{state_->slot(id), state_->quiescence, owner, std::string{consumer}})
      .get();
}

void Interfaces::close(sy_interface* handle) noexcept {
  const std::lock_guard lock{handle->quiescence.mutex};
  handle->closed = true;
}

std::size_t Interfaces::close_all(const void* owner) {
  const std::lock_guard lock{state_->quiescence.mutex};
  std::size_t leases = 0;
  for (const auto& handle : state_->handles) {
    if (handle->owner != owner) continue;
    handle->closed = true;
    leases += handle->leases;
  }
  state_->free_closed();
  return leases;
}

sy_status Interfaces::acquire(sy_interface* handle, sy_lease* lease) noexcept {
  handle->leases.fetch_add(1);
  const auto* provider = handle->slot.provider.load();
  if (provider == nullptr) {
    handle->give_back();
    return SY_REVOKED;
  }
  *lease = {provider->table, provider->instance, handle};
  return SY_OK;
}

void Interfaces::release(sy_lease* lease) noexcept {
  static_cast<sy_interface*>(lease->host_data)->give_back();
  *lease = {};
}

const sy_interfaces& interfaces_table() noexcept {
  static constexpr sy_interfaces kTable{
      .struct_size = sizeof(sy_interfaces),
      .reserved = 0,
      .open =
          [](const sy_host* host, const char* id, sy_interface** handle, sy_error* error) noexcept {
            auto& services = InstanceServices::of(host);
            const auto usable = services.may_use(id, error);
            if (usable != SY_OK) return usable;
            *handle = services.shared.interfaces.open(&services, services.plugin, id);
            return usable;
          },
      .close = Interfaces::close,
      .acquire = Interfaces::acquire,
      .release = Interfaces::release,
  };
  return kTable;
}

} // namespace switchyard::host
