#pragma once

#include <switchyard/journal.h>

#include <atomic>
#include <cstddef>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace switchyard::peer {

/// The host's journal of registrations with one provider, as small as it can be. bind and unbind on
/// one thread, enter and leave on any.
class FakeJournal {
public:
  FakeJournal() noexcept;
  ~FakeJournal();
  FakeJournal(const FakeJournal&) = delete;
  FakeJournal& operator=(const FakeJournal&) = delete;

  /// To be offered as SY_JOURNAL.
  [[nodiscard]] const sy_journal* table() const noexcept { return &table_; }

  /// Registers with `provider`, as sy_journal.add does; the sentence of a failure goes to `why`.
  sy_status
  add(const sy_registrar& registrar,
      void* provider,
      std::string_view key,
      const void* entry,
      std::size_t entry_size,
      std::string* why = nullptr);

  /// Unbinds. Calls that run or wait still hold the registrant.
  void remove(std::string_view key);

  /// Calls that hold a registrant.
  [[nodiscard]] int held() const noexcept { return held_; }

private:
  sy_journal table_;
  std::map<std::string, std::unique_ptr<sy_registration>, std::less<>> registrations_;
  std::vector<std::unique_ptr<sy_registration>> removed_;
  std::atomic<int> held_ = 0;
};

} // namespace switchyard::peer
