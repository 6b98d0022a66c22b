#include <host/services/failure.hpp>
#include <host/services/instance_services.hpp>
#include <host/services/journal.hpp>
#include <host/services/quiescence.hpp>

#include <boost/assert.hpp>

#include <algorithm>
#include <atomic>
#include <cstring>
#include <iterator>

struct sy_registration {
  switchyard::host::Journal& journal;
  switchyard::host::Quiescence& quiescence;
  const void* owner;
  std::string name; ///< of the owner
  std::string id;
  std::string key;
  std::vector<std::byte> entry;
  std::vector<const void*> bound{}; ///< the providers that have it; two while one is replaced
  std::atomic<std::size_t> calls{0};
  std::atomic<bool> leaving{false};

  void give_back() noexcept { quiescence.give_back(calls); }
};

namespace switchyard::host {
namespace {

sy_string view(const std::string& text) noexcept {
  return {text.data(), text.size()};
}

std::string clause(const sy_registration& registration, const sy_error& error) {
  return "\"" + registration.key + "\" of plugin " + registration.name + ": " +
         std::string{said(error)};
}

} // namespace

struct Journal::State {
  struct Registrar {
    std::string id;
    const sy_registrar* table;
    void* provider;
  };

  /// Shared with a control thread that was given up inside a call and may come back.
  using Registrations = std::vector<std::shared_ptr<sy_registration>>;

  std::chrono::milliseconds removal_limit;
  Quiescence quiescence; ///< its mutex guards the lists; it is never held while a plugin is called
  Registrations registrations; ///< in the order they were made
  Registrations stuck;         ///< removed with a call still running
  Registrations withdrawn;     ///< by the host; the registrant may come to say remove
  std::vector<const void*>
      aside; ///< owners of what no registrar has, or only calls still run through
  std::vector<Registrar> registrars; ///< in the order they came

  std::vector<Registrar> registrars_of(std::string_view id) {
    const std::lock_guard lock{quiescence.mutex};
    std::vector<Registrar> found;
    std::ranges::copy_if(
        registrars, std::back_inserter(found), [&](const auto& r) { return r.id == id; });
    return found;
  }

  void remove_registrar(std::string_view id, const void* provider) {
    const std::lock_guard lock{quiescence.mutex};
    std::erase_if(registrars, [&](const auto& r) { return r.id == id && r.provider == provider; });
  }

  /// With the mutex, or on the control thread, which alone changes it.
  [[nodiscard]] bool is_aside(const void* owner) const {
    return std::ranges::find(aside, owner) != aside.end();
  }

  /// What registrars of `id` are to have.
  Registrations current(std::string_view id) {
    return select([&](const auto& r) { return r.id == id && !is_aside(r.owner); });
  }

  template <class Matches>
  Registrations select(Matches matches) {
    const std::lock_guard lock{quiescence.mutex};
    Registrations selected;
    std::ranges::copy_if(registrations, std::back_inserter(selected), [&](const auto& each) {
      return matches(*each);
    });
    return selected;
  }

  sy_status bind(sy_registration& registration, const Registrar& to, sy_error* error) {
    const auto status = to.table->bind(
        to.provider,
        &registration,
        view(registration.key),
        registration.entry.data(),
        registration.entry.size(),
        error);
    if (status == SY_OK) registration.bound.push_back(to.provider);
    return status;
  }

  /// All of them, or none.
  sy_status bind_to_all(sy_registration& registration, sy_error* error) {
    for (const auto& registrar : registrars_of(registration.id)) {
      const auto status = bind(registration, registrar, error);
      if (status == SY_OK) continue;
      unbind_from_all(registration);
      return status;
    }
    return SY_OK;
  }

  /// The part of an exchange that concerns one registrar.
  static sy_status exchange(
      const Registrar& at,
      const Registrations& before,
      const Registrations& after,
      sy_error* error) {
    std::vector<sy_registration*> gone;
    for (const auto& registration : before) {
      if (std::ranges::find(registration->bound, at.provider) != registration->bound.end())
        gone.push_back(registration.get());
    }
    std::vector<sy_binding> come;
    for (const auto& registration : after) {
      if (registration->id == at.id)
        come.push_back(
            {registration.get(),
             view(registration->key),
             registration->entry.data(),
             registration->entry.size()});
    }
    if (gone.empty() && come.empty()) return SY_OK;
    if (at.table->exchange == nullptr)
      return fail(error, SY_UNSUPPORTED, "it does not exchange registrations");
    const auto status =
        at.table->exchange(at.provider, gone.data(), gone.size(), come.data(), come.size(), error);
    if (status != SY_OK) return status;
    for (auto* registration : gone)
      std::erase(registration->bound, at.provider);
    for (const auto& binding : come)
      binding.registration->bound.push_back(at.provider);
    return SY_OK;
  }

  static void unbind(sy_registration& registration, const Registrar& from) {
    if (std::erase(registration.bound, from.provider) == 0) return;
    from.table->unbind(from.provider, &registration);
  }

  void unbind_from_all(sy_registration& registration) {
    for (const auto& registrar : registrars_of(registration.id))
      unbind(registration, registrar);
    BOOST_ASSERT(registration.bound.empty());
  }

  /// Removes all of `leaving`, to `ended`; those with a call still running at the limit to `stuck`,
  /// and their keys are returned.
  std::vector<std::string> remove(const Registrations& leaving, Registrations& ended) {
    for (const auto& registration : leaving) {
      unbind_from_all(*registration);
      registration->leaving = true;
    }

    std::unique_lock lock{quiescence.mutex};
    const auto running = [](const auto& registration) { return registration->calls != 0; };
    quiescence.wait_until(
        lock, Clock::now() + removal_limit, [&] { return std::ranges::none_of(leaving, running); });

    std::vector<std::string> keys;
    for (const auto& registration : leaving) {
      const auto still = running(registration);
      if (still) keys.push_back(registration->key);
      // Gone when another thread has removed it meanwhile.
      if (std::erase(registrations, registration) != 0) {
        (still ? stuck : ended).push_back(registration);
      }
    }
    return keys;
  }
};

Journal::Journal(std::chrono::milliseconds removal_limit) : state_{std::make_unique<State>()} {
  state_->removal_limit = removal_limit;
}

Journal::~Journal() = default;

std::vector<std::string>
Journal::attach(std::string_view id, const sy_registrar* registrar, void* provider) {
  const State::Registrar added{std::string{id}, registrar, provider};
  {
    const std::lock_guard lock{state_->quiescence.mutex};
    state_->registrars.push_back(added);
  }
  std::vector<std::string> refused;
  for (const auto& registration : state_->current(id)) {
    sy_error error{.struct_size = sizeof(sy_error), .code = SY_OK, .text = {}};
    if (state_->bind(*registration, added, &error) != SY_OK) {
      refused.push_back(clause(*registration, error));
    }
  }
  return refused;
}

void Journal::detach(std::string_view id, const void* provider) {
  for (const auto& registrar : state_->registrars_of(id)) {
    if (registrar.provider != provider) continue;
    for (const auto& registration : state_->select([&](const auto& r) { return r.id == id; }))
      State::unbind(*registration, registrar);
  }
  state_->remove_registrar(id, provider);
}

void Journal::abandon(std::string_view id, const void* provider) {
  for (const auto& registration : state_->select([&](const auto& r) { return r.id == id; }))
    std::erase(registration->bound, provider);
  state_->remove_registrar(id, provider);
}

std::vector<std::string> Journal::registered_with(std::string_view id) const {
  std::vector<std::string> all;
  for (const auto& each : state_->current(id))
    all.push_back('"' + each->key + "\" of plugin " + each->name);
  return all;
}

std::vector<std::string> Journal::registrations_of(const void* owner) const {
  std::vector<std::string> ids;
  for (const auto& each : state_->select([&](const auto& r) { return r.owner == owner; })) {
    if (std::ranges::find(ids, each->id) == ids.end()) ids.push_back(each->id);
  }
  return ids;
}

std::string Journal::not_exchangeable(const void* owner) const {
  for (const auto& id : registrations_of(owner)) {
    for (const auto& registrar : state_->registrars_of(id)) {
      if (registrar.table->exchange == nullptr) return id;
    }
  }
  return {};
}

void Journal::keep_aside(const void* owner) {
  const std::lock_guard lock{state_->quiescence.mutex};
  state_->aside.push_back(owner);
}

std::optional<std::string> Journal::exchange(const void* before, const void* after) {
  const auto gone = state_->select([&](const auto& r) { return r.owner == before; });
  const auto come = state_->select([&](const auto& r) { return r.owner == after; });
  std::vector<State::Registrar> registrars;
  {
    const std::lock_guard lock{state_->quiescence.mutex};
    registrars = state_->registrars;
  }
  for (auto at = registrars.begin(); at != registrars.end(); ++at) {
    sy_error error{.struct_size = sizeof(sy_error), .code = SY_OK, .text = {}};
    if (State::exchange(*at, gone, come, &error) == SY_OK) continue;
    // Whoever had the old set a moment ago takes it back.
    for (auto done = registrars.begin(); done != at; ++done) {
      sy_error unwanted{.struct_size = sizeof(sy_error), .code = SY_OK, .text = {}};
      static_cast<void>(State::exchange(*done, come, gone, &unwanted));
    }
    return "the provider of " + at->id + " says: " + std::string{said(error)};
  }
  const std::lock_guard lock{state_->quiescence.mutex};
  std::erase(state_->aside, after);
  if (before != nullptr) state_->aside.push_back(before);
  return std::nullopt;
}

void Journal::end_soon(const void* owner, bool all) {
  for (const auto& registration : state_->select([&](const auto& r) { return r.owner == owner; })) {
    if (registration->calls == 0) continue;
    for (const auto& registrar : state_->registrars_of(registration->id)) {
      if (registrar.table->end_soon != nullptr)
        registrar.table->end_soon(registrar.provider, registration.get(), all ? 1 : 0);
    }
  }
}

sy_status Journal::add(
    const void* owner,
    std::string_view name,
    std::string_view id,
    std::string_view key,
    const void* entry,
    std::size_t entry_size,
    sy_registration** registration,
    sy_error* error) {
  std::uint32_t struct_size = 0;
  if (key.empty() || registration == nullptr || entry_size < sizeof(struct_size)) {
    return fail(error, SY_INVALID, "a registration has a key and an entry");
  }
  std::memcpy(&struct_size, entry, sizeof(struct_size));
  if (struct_size != entry_size) {
    return fail(error, SY_INVALID, "struct_size of the entry is not entry_size");
  }
  const auto aside = state_->is_aside(owner);
  const auto same = state_->select([&](const auto& r) {
    if (r.id != id || r.key != key) return false;
    return r.owner == owner || r.name != name || !(aside || state_->is_aside(r.owner));
  });
  if (!same.empty()) {
    return fail(
        error,
        SY_EXISTS,
        "\"" + std::string{key} + "\" is registered by plugin " + same.front()->name);
  }

  const auto* bytes = static_cast<const std::byte*>(entry);
  std::shared_ptr<sy_registration> made{new sy_registration{
      *this,
      state_->quiescence,
      owner,
      std::string{name},
      std::string{id},
      std::string{key},
      std::vector<std::byte>{bytes, bytes + entry_size}}};
  if (!aside) {
    if (const auto status = state_->bind_to_all(*made, error); status != SY_OK) return status;
  }
  const std::lock_guard lock{state_->quiescence.mutex};
  *registration = state_->registrations.emplace_back(std::move(made)).get();
  return SY_OK;
}

bool Journal::remove(sy_registration* registration) {
  auto& state = *registration->journal.state_;
  {
    const std::lock_guard lock{state.quiescence.mutex};
    const auto same = [&](const auto& each) { return each.get() == registration; };
    if (std::erase_if(state.withdrawn, same) != 0) return true;
  }
  State::Registrations ended;
  const auto leaving = state.select([&](const auto& each) { return &each == registration; });
  return state.remove(leaving, ended).empty();
}

std::vector<std::string> Journal::remove_all(const void* owner) {
  const auto all = state_->select([&](const auto& r) { return r.owner == owner; });
  return state_->remove(all, state_->withdrawn);
}

void Journal::forget(const void* owner) {
  const std::lock_guard lock{state_->quiescence.mutex};
  std::erase_if(state_->withdrawn, [&](const auto& each) { return each->owner == owner; });
  std::erase(state_->aside, owner);
}

std::size_t Journal::running(const void* owner) const {
  const std::lock_guard lock{state_->quiescence.mutex};
  std::size_t calls = 0;
  for (const auto* list : {&state_->registrations, &state_->stuck}) {
    for (const auto& registration : *list) {
      if (registration->owner == owner) calls += registration->calls;
    }
  }
  return calls;
}

sy_status Journal::enter(sy_registration* registration) noexcept {
  registration->calls.fetch_add(1);
  if (registration->leaving) {
    registration->give_back();
    return SY_REVOKED;
  }
  return SY_OK;
}

void Journal::leave(sy_registration* registration) noexcept {
  registration->give_back();
}

const sy_journal& journal_table() noexcept {
  static constexpr sy_journal kTable{
      .struct_size = sizeof(sy_journal),
      .reserved = 0,
      .add =
          [](const sy_host* host,
             const char* interface_id,
             sy_string key,
             const void* entry,
             size_t entry_size,
             sy_registration** registration,
             sy_error* error) noexcept {
            auto& services = InstanceServices::of(host);
            const auto usable = services.may_use(interface_id, error);
            if (usable != SY_OK) return usable;
            return services.shared.journal.add(
                &services,
                services.plugin,
                interface_id,
                {key.data, key.size},
                entry,
                entry_size,
                registration,
                error);
          },
      .remove =
          [](sy_registration* registration) noexcept {
            static_cast<void>(Journal::remove(registration)); // running() keeps count of a failure
          },
      .enter = Journal::enter,
      .leave = Journal::leave,
  };
  return kTable;
}

} // namespace switchyard::host
