// The plugin replaced again and again by its other version, under load: no call fails, and nothing
// of the old generations stays.
#include "client_process.hpp"
#include "footprint.hpp"
#include "generation.hpp"
#include "replacing_host.hpp"
#include "service.hpp"

#include <switchyard/failure.hpp>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cstdlib>
#include <deque>
#include <filesystem>
#include <iostream>
#include <span>
#include <stdexcept>
#include <string>
#include <vector>

namespace switchyard::grpc::test {
namespace {

using testing::IsEmpty;

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
constexpr bool kSanitized = true;
#else
constexpr bool kSanitized = false;
#endif

/// As many as the settings of a host allow at the same time.
constexpr std::size_t kGenerationsMax = 3;

/// A generation is replaced when it has begun so many calls, more than are in flight at once.
constexpr std::uint64_t kCallsEach = 500;

/// Replacements after which the process is as large as it gets.
constexpr std::size_t kSettled = 10;

constexpr std::chrono::seconds kDrainLimit{25};

constexpr std::array<const char*, 2> kVersions{GRPC_PLUGIN, GRPC_PLUGIN_NEXT};

struct DataDirectory {
  std::string path = testing::TempDir() + "grpc-replacement-XXXXXX";

  DataDirectory() {
    if (::mkdtemp(path.data()) == nullptr) throw std::runtime_error{"no directory: " + path};
  }

  ~DataDirectory() { std::filesystem::remove_all(path); }
};

/// Lets go of every call before the generations end, also when the test ends early.
struct Released {
  Service& service;

  ~Released() { service.release(); }
};

std::size_t median(std::span<const Footprint> samples, std::size_t Footprint::*of) {
  std::vector<std::size_t> values;
  for (const auto& sample : samples)
    values.push_back(sample.*of);
  const auto middle = values.begin() + static_cast<std::ptrdiff_t>(values.size() / 2);
  std::ranges::nth_element(values, middle);
  return *middle;
}

/// Compares the first half of what came after kSettled with the last.
void expect_flat(std::span<const Footprint> samples) {
  const auto settled = samples.subspan(kSettled);
  const auto early = settled.first(settled.size() / 2);
  const auto late = settled.last(settled.size() / 2);

  const struct {
    const char* what;
    std::size_t Footprint::*of;
    std::size_t growth;
  } cases[] = {
      {"resident kB", &Footprint::resident, 2048},
      {"heap kB", &Footprint::heap, 512},
      {"threads", &Footprint::threads, 2},
      {"descriptors", &Footprint::descriptors, 6},
  };

  for (const auto& c : cases) {
    const auto before = median(early, c.of);
    const auto after = median(late, c.of);
    std::cout << c.what << ' ' << samples.front().*c.of << ", " << samples[kSettled - 1].*c.of
              << " after " << kSettled << ", " << samples.back().*c.of << " at last; medians "
              << before << " and " << after << '\n';
    const auto is_memory = c.of == &Footprint::resident || c.of == &Footprint::heap;
    if (kSanitized && is_memory) continue; // which keep what is freed
    EXPECT_LE(after, before + c.growth) << c.what;
  }
}

/// Registers the service, as a plugin that requires gRPC does.
sy_registration* offer(ReplacingHost& host, Service& service) {
  sy_grpc_service entry{}; // each generation gets its own, with what tells them apart
  entry.struct_size = sizeof entry;
  sy_registration* registration = nullptr;
  auto error = make_error();
  const auto added = host.services.journal.add(
      &service,
      "test",
      SY_GRPC_SERVICES,
      Service::kName,
      &entry,
      sizeof entry,
      &registration,
      &error);
  if (added != SY_OK) throw std::runtime_error{error.text};
  return registration;
}

TEST(Replacement, LosesNoCallAndLeavesNothing) {
  constexpr std::size_t kReplacements = kSanitized ? 16 : 64;
  const DataDirectory directory;
  Service service;
  ReplacingHost host{directory.path};
  auto* const registration = offer(host, service);
  std::deque<std::unique_ptr<Generation>> generations;
  const auto mapped = [&] { return objects_mapped(host.staging.path()); };
  std::size_t unmapped = 0;

  const auto launch = [&](std::uint32_t number) {
    generations.push_back(std::make_unique<Generation>(
        host, service, registration, number, kVersions[number % kVersions.size()]));
  };
  const auto unload = [&](std::size_t at) {
    EXPECT_EQ(generations[at]->stop(), "") << "generation " << generations[at]->number();
    generations.erase(generations.begin() + static_cast<std::ptrdiff_t>(at));
    EXPECT_EQ(mapped(), generations.size());
    ++unmapped;
  };

  launch(0);
  host.start(*generations.back());
  ClientProcess client{host.port()};
  const Released released{service};
  std::vector<Footprint> samples;
  for (std::uint32_t number = 1; number <= kReplacements; ++number) {
    ASSERT_TRUE(service.wait_for_calls(kCallsEach)) << "generation " << number - 1;
    if (generations.size() == kGenerationsMax) {
      ASSERT_TRUE(generations.front()->drained(kDrainLimit))
          << "generation " << number - kGenerationsMax << ": " << service.streams() << " streams, "
          << service.held() << " calls held\n"
          << host.services.metrics.text();
      unload(0);
    }
    launch(number);
    EXPECT_EQ(mapped(), generations.size());
    service.set_newest(number);
    host.flip(*generations.back());
    generations[generations.size() - 2]->drain();
    EXPECT_GE(service.streams(), 1u);
    EXPECT_EQ(service.held(), Service::kHeldCalls);
    samples.push_back(Footprint::now());
  }
  ASSERT_TRUE(service.wait_for_calls(kCallsEach));
  service.release();
  const auto seen = client.finish();
  host.close();
  generations.back()->drain();
  while (!generations.empty()) {
    ASSERT_TRUE(generations.front()->drained(kDrainLimit));
    unload(0);
  }
  EXPECT_TRUE(host::Journal::remove(registration)) << "a call is not known to have ended";
  EXPECT_EQ(mapped(), 0u);
  EXPECT_EQ(unmapped, kReplacements + 1);

  EXPECT_TRUE(seen.whole);
  EXPECT_THAT(seen.failures, IsEmpty());
  auto counts = seen.counts;
  EXPECT_EQ(counts["failures"], 0u);
  EXPECT_EQ(counts["held"], service.begun()) << "no call came twice or was lost";
  EXPECT_GE(counts["calls"], kReplacements * kCallsEach);
  EXPECT_GT(counts["pings_present"], 0u);
  EXPECT_GT(counts["pings_next"], 0u);
  EXPECT_GE(counts["streams_across"], kReplacements / 4);
  EXPECT_LE(counts["streams"], counts["streams_across"] + 1);
  EXPECT_GT(service.asked(), 0u) << "streams were to go on though asked to end";
  for (const auto& [what, count] : counts)
    std::cout << what << ' ' << count << '\n';
  expect_flat(samples);
}

} // namespace
} // namespace switchyard::grpc::test
