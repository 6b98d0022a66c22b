#include <host/services/instance_services.hpp>
#include <host/services/interfaces.hpp>
#include <host/services/quiescence.hpp>

#include <algorithm>
#include <atomic>
#include <string>

namespace switchyard::host {
namespace {

struct Provider {
  const void* table = nullptr;
  void* instance = nullptr;
};

/// One interface id, with room for a provider and the one before it. Lives as long as Interfaces,
/// so that a handle can outlive every provider.
struct Slot {
  std::string id;
  Provider providers[2];
  std::atomic<const Provider*> current{nullptr}; ///< one of the two, or nobody

  [[nodiscard]] std::size_t number(const Provider* provider) const noexcept {
    return static_cast<std::size_t>(provider - providers);
  }

  /// Where `instance` is, or else where it can come once nobody has a lease there any more.
  [[nodiscard]] Provider* place_for(const void* instance) noexcept {
    for (auto& provider : providers) {
      if (provider.instance == instance) return &provider;
    }
    const auto first_is_free = current != &providers[0] && providers[0].instance == nullptr;
    return first_is_free || current == &providers[1] ? &providers[0] : &providers[1];
  }
};

/// The leases that a handle has out on one of the two.
struct Leases {
  sy_interface* handle;
  std::atomic<std::size_t> out{0};
};

} // namespace
} // namespace switchyard::host

struct sy_interface {
  switchyard::host::Slot& slot;
  switchyard::host::Quiescence& quiescence;
  const void* owner;
  std::string consumer;
  bool closed = false; ///< guarded by quiescence.mutex
  std::atomic<bool> held{false};
  switchyard::host::Leases leases[2]{{this}, {this}};

  [[nodiscard]] std::size_t out() const noexcept { return leases[0].out + leases[1].out; }
};

namespace switchyard::host {

struct Interfaces::State {
  Quiescence quiescence;
  std::vector<std::unique_ptr<Slot>> slots;
  std::vector<std::unique_ptr<sy_interface>> handles;

  Slot& slot(std::string_view id) {
    const auto found =
        std::ranges::find(slots, id, [](const auto& s) -> std::string_view { return s->id; });
    if (found != slots.end()) return **found;
    slots.push_back(std::make_unique<Slot>());
    slots.back()->id = id;
    return *slots.back();
  }

  /// Waits until no lease on provider `number` of `slot` is out; the consumers that hold one at the
  /// deadline. With `lock` on the mutex.
  std::vector<std::string> wait_for_leases(
      std::unique_lock<std::mutex>& lock,
      const Slot& slot,
      std::size_t number,
      Clock::time_point deadline) {
    const auto leased = [&](const auto& handle) {
      return &handle->slot == &slot && handle->leases[number].out != 0;
    };
    std::vector<std::string> consumers;
    if (!quiescence.wait_until(
            lock, deadline, [&] { return std::ranges::none_of(handles, leased); })) {
      for (const auto& handle : handles) {
        if (leased(handle)) consumers.push_back(handle->consumer);
      }
    }
    free_closed();
    return consumers;
  }

  void free_closed() {
    std::erase_if(handles, [](const auto& handle) { return handle->closed && handle->out() == 0; });
  }
};

Interfaces::Interfaces() : state_{std::make_unique<State>()} {}

Interfaces::~Interfaces() = default;

std::vector<std::string> Interfaces::publish(
    std::string_view id, const void* table, void* provider, Clock::time_point deadline) {
  std::unique_lock lock{state_->quiescence.mutex};
  auto& slot = state_->slot(id);
  auto* place = slot.place_for(provider);
  if (place->instance != provider) {
    auto consumers = state_->wait_for_leases(lock, slot, slot.number(place), deadline);
    if (!consumers.empty()) return consumers;
    *place = {table, provider};
  }
  slot.current = place;
  return {};
}

std::vector<std::string>
Interfaces::revoke(std::string_view id, const void* provider, Clock::time_point deadline) {
  std::unique_lock lock{state_->quiescence.mutex};
  auto& slot = state_->slot(id);
  auto* found = std::ranges::find(slot.providers, provider, &Provider::instance);
  if (provider == nullptr || found == std::end(slot.providers)) return {};
  if (slot.current == found) slot.current = nullptr;
  auto consumers = state_->wait_for_leases(lock, slot, slot.number(found), deadline);
  if (consumers.empty()) *found = {};
  return consumers;
}

std::vector<std::string> Interfaces::leased_by(std::string_view id, const void* provider) const {
  const std::lock_guard lock{state_->quiescence.mutex};
  std::vector<std::string> consumers;
  for (const auto& handle : state_->handles) {
    const auto& providers = handle->slot.providers;
    const auto* found = std::ranges::find(providers, provider, &Provider::instance);
    if (handle->slot.id != id || found == std::end(providers)) continue;
    if (handle->leases[handle->slot.number(found)].out != 0) consumers.push_back(handle->consumer);
  }
  return consumers;
}

bool Interfaces::hold(const void* owner, std::string_view id, Clock::time_point deadline) {
  std::unique_lock lock{state_->quiescence.mutex};
  const auto theirs = [&](const auto& handle) {
    return handle->owner == owner && handle->slot.id == id;
  };
  for (const auto& handle : state_->handles) {
    if (theirs(handle)) handle->held = true;
  }
  return state_->quiescence.wait_until(lock, deadline, [&] {
    return std::ranges::none_of(
        state_->handles, [&](const auto& handle) { return theirs(handle) && handle->out() != 0; });
  });
}

void Interfaces::release_hold(const void* owner, std::string_view id) {
  const std::lock_guard lock{state_->quiescence.mutex};
  for (const auto& handle : state_->handles) {
    if (handle->owner == owner && handle->slot.id == id) handle->held = false;
  }
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
    leases += handle->out();
  }
  state_->free_closed();
  return leases;
}

sy_status Interfaces::acquire(sy_interface* handle, sy_lease* lease) noexcept {
  const auto& slot = handle->slot;
  for (;;) {
    const auto* provider = slot.current.load();
    if (provider == nullptr) return SY_REVOKED;
    auto& leases = handle->leases[slot.number(provider)];
    leases.out.fetch_add(1);
    // Counted before this look, and whoever takes a provider away looks at the count after it has
    // changed `current`: one of the two sees the other.
    if (handle->held) {
      handle->quiescence.give_back(leases.out);
      return SY_REVOKED;
    }
    if (slot.current.load() == provider) {
      *lease = {provider->table, provider->instance, &leases};
      return SY_OK;
    }
    handle->quiescence.give_back(leases.out);
  }
}

void Interfaces::release(sy_lease* lease) noexcept {
  auto& leases = *static_cast<Leases*>(lease->host_data);
  leases.handle->quiescence.give_back(leases.out);
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
