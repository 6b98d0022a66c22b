#include <tests/peer/fake_journal.hpp>

struct sy_registration {
  std::atomic<int>* held;
  const sy_registrar* registrar;
  void* provider;
  std::string key;
  std::vector<std::byte> entry;
  std::atomic<bool> leaving = false;
};

namespace switchyard::peer {

FakeJournal::FakeJournal() noexcept : table_{} {
  table_.struct_size = sizeof table_;
  table_.enter = [](sy_registration* registration) -> sy_status {
    if (registration->leaving) return SY_REVOKED;
    ++*registration->held;
    return SY_OK;
  };
  table_.leave = [](sy_registration* registration) { --*registration->held; };
}

FakeJournal::~FakeJournal() = default;

sy_status FakeJournal::add(
    const sy_registrar& registrar,
    void* provider,
    std::string_view key,
    const void* entry,
    std::size_t entry_size,
    std::string* why) {
  const auto* bytes = static_cast<const std::byte*>(entry);
  std::unique_ptr<sy_registration> made{new sy_registration{
      &held_, &registrar, provider, std::string{key}, {bytes, bytes + entry_size}}};
  sy_error error{};
  error.struct_size = sizeof error;
  const auto status = registrar.bind(
      provider,
      made.get(),
      {made->key.data(), made->key.size()},
      made->entry.data(),
      made->entry.size(),
      &error);
  if (status == SY_OK) {
    registrations_.emplace(key, std::move(made));
  } else if (why != nullptr) {
    *why = error.text;
  }
  return status;
}

void FakeJournal::remove(std::string_view key) {
  const auto found = registrations_.find(key);
  auto& registration = *found->second;
  registration.registrar->unbind(registration.provider, &registration);
  registration.leaving = true;
  removed_.push_back(std::move(found->second));
  registrations_.erase(found);
}

} // namespace switchyard::peer
