#include "instance_fixture.hpp"

#include <host/services/failure.hpp>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <latch>
#include <map>
#include <mutex>
#include <thread>

namespace switchyard::host {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;
using testing::IsEmpty;
using testing::Pair;

constexpr auto kId = "switchyard.test.endpoints/1";

struct Entry {
  std::uint32_t struct_size = sizeof(Entry);
  std::uint32_t answer = 0;
};

/// The provider's side: a table of endpoints by key, as netrpc has one.
struct Endpoints {
  std::map<std::string, std::pair<sy_registration*, std::uint32_t>> bound;
  std::vector<std::string> unbound;
  std::vector<std::pair<sy_registration*, std::uint32_t>> told;
  std::mutex mutex;

  std::map<std::string, std::uint32_t> answers() {
    std::map<std::string, std::uint32_t> all;
    for (const auto& [key, endpoint] : bound)
      all[key] = endpoint.second;
    return all;
  }

  static constexpr sy_registrar kTable{
      .struct_size = sizeof(sy_registrar),
      .reserved = 0,
      .bind =
          [](void* provider,
             sy_registration* registration,
             sy_string key,
             const void* entry,
             size_t,
             sy_error* error) noexcept {
            auto& self = *static_cast<Endpoints*>(provider);
            const std::lock_guard lock{self.mutex};
            const std::string name{key.data, key.size};
            if (name == "bad") return fail(error, SY_INVALID, "no dot in the name");
            self.bound[name] = {registration, static_cast<const Entry*>(entry)->answer};
            return sy_status{SY_OK};
          },
      .unbind =
          [](void* provider, sy_registration* registration) noexcept {
            auto& self = *static_cast<Endpoints*>(provider);
            const std::lock_guard lock{self.mutex};
            std::erase_if(self.bound, [&](const auto& endpoint) {
              if (endpoint.second.first != registration) return false;
              self.unbound.push_back(endpoint.first);
              return true;
            });
          },
      .exchange =
          [](void* provider,
             sy_registration* const* gone,
             size_t gone_count,
             const sy_binding* come,
             size_t come_count,
             sy_error* error) noexcept {
            auto& self = *static_cast<Endpoints*>(provider);
            const std::lock_guard lock{self.mutex};
            auto next = self.bound;
            std::erase_if(next, [&](const auto& endpoint) {
              return std::find(gone, gone + gone_count, endpoint.second.first) != gone + gone_count;
            });
            for (const auto* each = come; each != come + come_count; ++each) {
              const std::string name{each->key.data, each->key.size};
              if (name == "bad") return fail(error, SY_INVALID, "no dot in the name");
              next[name] = {each->registration, static_cast<const Entry*>(each->entry)->answer};
            }
            self.bound.swap(next);
            return sy_status{SY_OK};
          },
      .end_soon =
          [](void* provider, sy_registration* registration, uint32_t all) noexcept {
            auto& self = *static_cast<Endpoints*>(provider);
            self.told.emplace_back(registration, all);
          },
  };
};

sy_status
add(Journal& journal,
    const void* owner,
    std::string_view key,
    std::uint32_t answer,
    sy_registration** registration,
    sy_error* error = nullptr) {
  const Entry entry{.answer = answer};
  return journal.add(owner, "catalog", kId, key, &entry, sizeof(entry), registration, error);
}

/// A provider whose unbind() hangs until it is let go.
struct Hanging {
  std::latch inside{1};
  std::latch go{1};

  static constexpr sy_registrar kTable{
      .struct_size = sizeof(sy_registrar),
      .reserved = 0,
      .bind =
          [](void*, sy_registration*, sy_string, const void*, size_t, sy_error*) noexcept {
            return sy_status{SY_OK};
          },
      .unbind =
          [](void* provider, sy_registration*) noexcept {
            auto& self = *static_cast<Hanging*>(provider);
            self.inside.count_down();
            self.go.wait();
          },
      .exchange = nullptr,
      .end_soon = nullptr,
  };
};

TEST(Journal, BindsNowOrAsSoonAsThereIsAProvider) {
  Journal journal{60s};
  Endpoints first;
  Endpoints second;
  sy_registration* registration = nullptr;

  ASSERT_EQ(add(journal, this, "KV.Get", 1, &registration), SY_OK);
  EXPECT_THAT(journal.attach(kId, &Endpoints::kTable, &first), IsEmpty());
  ASSERT_EQ(add(journal, this, "KV.Apply", 2, &registration), SY_OK);
  EXPECT_THAT(first.answers(), ElementsAre(Pair("KV.Apply", 2U), Pair("KV.Get", 1U)));

  journal.detach(kId, &first);
  EXPECT_THAT(first.unbound, ElementsAre("KV.Get", "KV.Apply"));
  EXPECT_THAT(journal.attach(kId, &Endpoints::kTable, &second), IsEmpty());
  EXPECT_THAT(second.answers(), ElementsAre(Pair("KV.Apply", 2U), Pair("KV.Get", 1U)));

  EXPECT_TRUE(Journal::remove(registration));
  EXPECT_THAT(second.answers(), ElementsAre(Pair("KV.Get", 1U)));
  EXPECT_THAT(journal.remove_all(this), IsEmpty());
  EXPECT_THAT(second.answers(), IsEmpty());
}

// A replacement: the new provider has everything before the old one has let go.
TEST(Journal, BindsToBothProvidersWhileOneIsReplaced) {
  Journal journal{60s};
  Endpoints old;
  Endpoints fresh;
  sy_registration* before = nullptr;
  sy_registration* during = nullptr;
  ASSERT_THAT(journal.attach(kId, &Endpoints::kTable, &old), IsEmpty());
  ASSERT_EQ(add(journal, this, "KV.Get", 1, &before), SY_OK);
  ASSERT_THAT(journal.attach(kId, &Endpoints::kTable, &fresh), IsEmpty());
  ASSERT_EQ(add(journal, this, "KV.Apply", 2, &during), SY_OK);
  for (auto* provider : {&old, &fresh})
    EXPECT_THAT(provider->answers(), ElementsAre(Pair("KV.Apply", 2U), Pair("KV.Get", 1U)));
  EXPECT_THAT(
      journal.registered_with(kId),
      ElementsAre("\"KV.Get\" of plugin catalog", "\"KV.Apply\" of plugin catalog"));
  EXPECT_THAT(journal.registrations_of(this), ElementsAre(kId));

  EXPECT_TRUE(Journal::remove(during));
  EXPECT_THAT(old.unbound, ElementsAre("KV.Apply"));
  EXPECT_THAT(fresh.unbound, ElementsAre("KV.Apply"));
  journal.detach(kId, &old);
  EXPECT_THAT(old.unbound, ElementsAre("KV.Apply", "KV.Get"));
  EXPECT_THAT(fresh.answers(), ElementsAre(Pair("KV.Get", 1U)));

  Endpoints gone;
  ASSERT_THAT(journal.attach(kId, &Endpoints::kTable, &gone), IsEmpty());
  journal.abandon(kId, &gone);
  EXPECT_THAT(journal.remove_all(this), IsEmpty());
  EXPECT_THAT(gone.unbound, IsEmpty()) << "it is not to be called any more";
  EXPECT_THAT(fresh.answers(), IsEmpty());
  EXPECT_THAT(journal.registrations_of(this), IsEmpty());
}

// One of two takes it, the other does not: nobody has it.
TEST(Journal, AddsWhatEveryProviderTakesOrNothing) {
  struct Never {
    static sy_status
    bind(void*, sy_registration*, sy_string, const void*, size_t, sy_error* error) noexcept {
      return fail(error, SY_LIMIT, "no more");
    }

    static void unbind(void*, sy_registration*) noexcept {}
  };

  static constexpr sy_registrar kNever{
      sizeof(sy_registrar), 0, Never::bind, Never::unbind, nullptr, nullptr};
  Journal journal{60s};
  Endpoints first;
  int second = 0;
  sy_registration* registration = nullptr;
  auto error = empty_error();
  ASSERT_THAT(journal.attach(kId, &Endpoints::kTable, &first), IsEmpty());
  ASSERT_THAT(journal.attach(kId, &kNever, &second), IsEmpty());
  EXPECT_EQ(add(journal, this, "KV.Get", 1, &registration, &error), SY_LIMIT);
  EXPECT_STREQ(error.text, "no more");
  EXPECT_THAT(first.answers(), IsEmpty());
  EXPECT_THAT(journal.registered_with(kId), IsEmpty());
}

TEST(Journal, SaysWhatAProviderDoesNotTake) {
  Journal journal{60s};
  Endpoints endpoints;
  sy_registration* registration = nullptr;
  auto error = empty_error();

  ASSERT_EQ(add(journal, this, "bad", 1, &registration), SY_OK) << "nobody is there to judge it";
  EXPECT_THAT(
      journal.attach(kId, &Endpoints::kTable, &endpoints),
      ElementsAre("\"bad\" of plugin catalog: no dot in the name"));
  EXPECT_TRUE(Journal::remove(registration));
  EXPECT_THAT(endpoints.unbound, IsEmpty());

  EXPECT_EQ(add(journal, this, "bad", 1, &registration, &error), SY_INVALID);
  EXPECT_STREQ(error.text, "no dot in the name");
  EXPECT_THAT(journal.remove_all(this), IsEmpty());
}

TEST(Journal, LetsARegistrantRemoveWhatTheHostHasRemoved) {
  Journal journal{60s};
  Endpoints endpoints;
  sy_registration* first = nullptr;
  sy_registration* second = nullptr;
  EXPECT_THAT(journal.attach(kId, &Endpoints::kTable, &endpoints), IsEmpty());
  ASSERT_EQ(add(journal, this, "KV.Get", 1, &first), SY_OK);
  ASSERT_EQ(add(journal, this, "KV.Apply", 2, &second), SY_OK);

  EXPECT_THAT(journal.remove_all(this), IsEmpty());
  EXPECT_TRUE(Journal::remove(first)) << "as a destructor does";
  EXPECT_THAT(endpoints.unbound, ElementsAre("KV.Get", "KV.Apply"));
  journal.forget(this);
  EXPECT_EQ(add(journal, this, "KV.Get", 3, &first), SY_OK);
  EXPECT_TRUE(Journal::remove(first));
}

TEST(Journal, RefusesAnEntryThatIsTakenOrMalformed) {
  Journal journal{60s};
  Endpoints endpoints;
  sy_registration* registration = nullptr;
  auto error = empty_error();
  const Entry entry{.struct_size = sizeof(Entry) - 1};
  ASSERT_EQ(add(journal, this, "KV.Get", 1, &registration), SY_OK);

  EXPECT_EQ(add(journal, &endpoints, "KV.Get", 2, &registration, &error), SY_EXISTS);
  EXPECT_STREQ(error.text, "\"KV.Get\" is registered by plugin catalog");
  EXPECT_EQ(add(journal, this, "", 2, &registration), SY_INVALID);
  EXPECT_EQ(
      journal.add(this, "p", kId, "k", &entry, sizeof(entry), &registration, &error), SY_INVALID);
  EXPECT_STREQ(error.text, "struct_size of the entry is not entry_size");
  EXPECT_EQ(journal.add(this, "p", kId, "k", &entry, 2, &registration, nullptr), SY_INVALID);

  // The same key with another interface is another registration.
  EXPECT_EQ(
      journal.add(this, "p", "other/1", "KV.Get", &(entry.struct_size), 0, &registration, nullptr),
      SY_INVALID);
  const Entry good;
  EXPECT_EQ(
      journal.add(this, "p", "other/1", "KV.Get", &good, sizeof(good), &registration, nullptr),
      SY_OK);
  EXPECT_THAT(journal.remove_all(this), IsEmpty());
}

TEST(Journal, KeepsTheRegistrantWhileACallRuns) {
  Journal journal{60s};
  Endpoints endpoints;
  sy_registration* registration = nullptr;
  ASSERT_THAT(journal.attach(kId, &Endpoints::kTable, &endpoints), IsEmpty());
  ASSERT_EQ(add(journal, this, "KV.Get", 1, &registration), SY_OK);
  std::latch entered{1};
  std::atomic<bool> answered{false};

  std::thread provider{[&] {
    ASSERT_EQ(Journal::enter(registration), SY_OK);
    entered.count_down();
    // A call that waits is told to end once its endpoint is unbound and going.
    while (Journal::enter(registration) == SY_OK)
      Journal::leave(registration);
    answered = true;
    Journal::leave(registration);
  }};
  entered.wait();
  EXPECT_TRUE(Journal::remove(registration));
  EXPECT_TRUE(answered);
  provider.join();
  EXPECT_EQ(journal.running(this), 0U);
}

TEST(Journal, ReportsACallThatOutlivesTheLimit) {
  Journal journal{0ms};
  sy_registration* stays = nullptr;
  sy_registration* goes = nullptr;
  ASSERT_EQ(add(journal, this, "KV.Get", 1, &stays), SY_OK);
  ASSERT_EQ(add(journal, this, "KV.List", 1, &goes), SY_OK);

  ASSERT_EQ(Journal::enter(stays), SY_OK);
  EXPECT_THAT(journal.remove_all(this), ElementsAre("KV.Get"));
  EXPECT_EQ(journal.running(this), 1U);
  EXPECT_EQ(Journal::enter(stays), SY_REVOKED) << "it is kept for the call that runs";
  Journal::leave(stays);
  EXPECT_EQ(journal.running(this), 0U);
}

// Under the sanitizers this is the proof that enter() and remove() never miss each other: the
// context of a registration is freed as soon as remove() returns.
TEST(Journal, NeverLetsACallIntoARegistrantThatHasGone) {
  constexpr int kRounds = 100;
  Journal journal{60s};
  Endpoints endpoints;
  ASSERT_THAT(journal.attach(kId, &Endpoints::kTable, &endpoints), IsEmpty());
  std::atomic<bool> over{false};
  std::atomic<std::uint64_t> calls{0};

  std::vector<std::thread> callers;
  for (int t = 0; t < 2; ++t) {
    callers.emplace_back([&] {
      while (!over) {
        sy_registration* entered = nullptr;
        {
          const std::lock_guard lock{endpoints.mutex};
          const auto found = endpoints.bound.find("KV.Get");
          if (found != endpoints.bound.end() && Journal::enter(found->second.first) == SY_OK) {
            entered = found->second.first;
          }
        }
        if (entered == nullptr) continue;
        ++calls;
        Journal::leave(entered);
      }
    });
  }
  for (int round = 0; round < kRounds; ++round) {
    sy_registration* registration = nullptr;
    ASSERT_EQ(add(journal, this, "KV.Get", 1, &registration), SY_OK);
    for (const auto before = calls.load(); calls < before + 10;)
      std::this_thread::yield();
    ASSERT_TRUE(Journal::remove(registration));
  }
  over = true;
  for (auto& caller : callers)
    caller.join();
  EXPECT_GE(calls, kRounds * 10U);
}

TEST(Journal, ExchangesTheSetOfARegistrantInOneStepOfEachRegistrar) {
  Journal journal{60s};
  Endpoints first;
  Endpoints second;
  const int old = 0;
  const int fresh = 0;
  const int other = 0;
  sy_registration* registration = nullptr;
  ASSERT_THAT(journal.attach(kId, &Endpoints::kTable, &first), IsEmpty());
  ASSERT_EQ(add(journal, &old, "KV.Get", 1, &registration), SY_OK);
  auto* const of_old = registration;
  ASSERT_EQ(add(journal, &old, "KV.Delete", 1, &registration), SY_OK);

  journal.keep_aside(&fresh);
  ASSERT_EQ(add(journal, &fresh, "KV.Get", 2, &registration), SY_OK) << "of the same plugin";
  EXPECT_EQ(add(journal, &fresh, "KV.Get", 2, &registration), SY_EXISTS);
  ASSERT_EQ(add(journal, &fresh, "KV.List", 2, &registration), SY_OK);
  EXPECT_EQ(add(journal, &other, "KV.Get", 3, &registration), SY_EXISTS);
  ASSERT_THAT(journal.attach(kId, &Endpoints::kTable, &second), IsEmpty());
  EXPECT_THAT(first.answers(), ElementsAre(Pair("KV.Delete", 1), Pair("KV.Get", 1)));
  EXPECT_THAT(second.answers(), ElementsAre(Pair("KV.Delete", 1), Pair("KV.Get", 1)));

  ASSERT_EQ(Journal::enter(of_old), SY_OK);
  EXPECT_EQ(journal.exchange(&old, &fresh), std::nullopt);
  EXPECT_THAT(first.answers(), ElementsAre(Pair("KV.Get", 2), Pair("KV.List", 2)));
  EXPECT_THAT(second.answers(), ElementsAre(Pair("KV.Get", 2), Pair("KV.List", 2)));
  EXPECT_EQ(journal.running(&old), 1U) << "the call goes on";
  journal.end_soon(&old, true);
  EXPECT_THAT(first.told, ElementsAre(Pair(of_old, 1U)));
  EXPECT_THAT(first.unbound, IsEmpty());

  EXPECT_EQ(journal.exchange(&fresh, &old), std::nullopt) << "and back";
  EXPECT_THAT(first.answers(), ElementsAre(Pair("KV.Delete", 1), Pair("KV.Get", 1)));
  EXPECT_THAT(journal.remove_all(&fresh), IsEmpty());
  EXPECT_THAT(first.answers(), ElementsAre(Pair("KV.Delete", 1), Pair("KV.Get", 1)));
  Journal::leave(of_old);
  journal.forget(&fresh);
}

TEST(Journal, ExchangesAllOrNothing) {
  Journal journal{60s};
  Endpoints first;
  Hanging second; // which cannot exchange
  const int old = 0;
  const int fresh = 0;
  sy_registration* registration = nullptr;
  ASSERT_THAT(journal.attach(kId, &Endpoints::kTable, &first), IsEmpty());
  ASSERT_EQ(add(journal, &old, "KV.Get", 1, &registration), SY_OK);
  EXPECT_EQ(journal.not_exchangeable(&old), "");

  journal.keep_aside(&fresh);
  ASSERT_EQ(add(journal, &fresh, "bad", 2, &registration), SY_OK) << "nobody has looked at it yet";
  EXPECT_EQ(
      journal.exchange(&old, &fresh),
      "the provider of switchyard.test.endpoints/1 says: no dot in the name");
  EXPECT_THAT(first.answers(), ElementsAre(Pair("KV.Get", 1)));
  EXPECT_THAT(journal.remove_all(&fresh), IsEmpty());

  ASSERT_THAT(journal.attach(kId, &Hanging::kTable, &second), IsEmpty());
  EXPECT_EQ(journal.not_exchangeable(&old), kId);
  const int later = 0;
  journal.keep_aside(&later);
  ASSERT_EQ(add(journal, &later, "KV.Get", 3, &registration), SY_OK);
  EXPECT_EQ(
      journal.exchange(&old, &later),
      "the provider of switchyard.test.endpoints/1 says: it does not exchange registrations");
  EXPECT_THAT(first.answers(), ElementsAre(Pair("KV.Get", 1)));
  second.go.count_down();
}

TEST(Journal, TakesRegistrationsOnlyForWhatTheManifestRequires) {
  LoggedServices process;
  InstanceServices instance{process.services, {}, "catalog", {kId}};
  const auto& table = journal_table();
  const Entry entry;
  sy_registration* registration = nullptr;
  auto error = empty_error();

  EXPECT_EQ(
      table.add(&instance.host, "x/1", text("k"), &entry, sizeof(entry), &registration, &error),
      SY_NOT_FOUND);
  ASSERT_EQ(
      table.add(&instance.host, kId, text("k"), &entry, sizeof(entry), &registration, &error),
      SY_OK);
  EXPECT_EQ(table.enter(registration), SY_OK);
  table.leave(registration);
  table.remove(registration);
}

// The control thread is given up inside, and the next one removes what is left of the registrant.
TEST(Journal, BearsAProviderThatComesBackLate) {
  Journal journal{60s};
  Hanging provider;
  sy_registration* registration = nullptr;
  ASSERT_THAT(journal.attach(kId, &Hanging::kTable, &provider), IsEmpty());
  ASSERT_EQ(add(journal, this, "KV.Get", 1, &registration), SY_OK);

  std::thread given_up{[&] { EXPECT_TRUE(Journal::remove(registration)); }};
  provider.inside.wait();
  EXPECT_THAT(journal.remove_all(this), IsEmpty());
  provider.go.count_down();
  given_up.join();
  EXPECT_EQ(journal.running(this), 0U);
}

} // namespace
} // namespace switchyard::host
