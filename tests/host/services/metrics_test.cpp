#include "instance_fixture.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <thread>

namespace switchyard::host {
namespace {

using testing::HasSubstr;
using testing::Not;

/// A counter and a gauge of one plugin.
class TwoMetrics : public testing::Test {
protected:
  void SetUp() override {
    ASSERT_EQ(table.counter(&instance.host, text("calls_total"), text("Calls."), &calls), SY_OK);
    ASSERT_EQ(table.gauge(&instance.host, text("streams"), text("Open now."), &open), SY_OK);
  }

  LoggedServices process;
  InstanceServices instance{process.services, {}, "net-rpc", {}};
  const sy_metrics& table = metrics_table();
  sy_metric* calls = nullptr;
  sy_metric* open = nullptr;
};

TEST_F(TwoMetrics, AreExposedUnderTheNameOfThePlugin) {
  table.add(calls, 2);
  table.add(calls, -1); // a counter only rises
  table.add(calls, std::nan(""));
  table.add(open, 5);
  table.add(open, -2);
  table.add(open, std::numeric_limits<double>::infinity());

  const auto exposed = process.services.metrics.text();
  EXPECT_THAT(exposed, HasSubstr("# HELP switchyard_net_rpc_calls_total Calls.\n"));
  EXPECT_THAT(exposed, HasSubstr("# TYPE switchyard_net_rpc_calls_total counter\n"));
  EXPECT_THAT(exposed, HasSubstr("\nswitchyard_net_rpc_calls_total 2"));
  EXPECT_THAT(exposed, HasSubstr("\nswitchyard_net_rpc_streams 3"));
}

TEST_F(TwoMetrics, CanBeReadOneByOne) {
  table.add(calls, 2);
  table.add(open, -1.5);

  auto samples = process.services.metrics.samples("net-rpc");
  ASSERT_EQ(samples.size(), 2U);
  std::ranges::sort(samples, {}, &Metrics::Sample::name);
  EXPECT_EQ(samples[0].name, "calls_total");
  EXPECT_EQ(samples[0].help, "Calls.");
  EXPECT_TRUE(samples[0].counter);
  EXPECT_EQ(samples[0].value, 2);
  EXPECT_EQ(samples[1].name, "streams");
  EXPECT_FALSE(samples[1].counter);
  EXPECT_EQ(samples[1].value, -1.5);
  EXPECT_TRUE(process.services.metrics.samples("other").empty());
}

TEST(Metrics, RefuseWhatPrometheusWouldNotTake) {
  Metrics metrics;
  sy_metric* metric = nullptr;

  const struct {
    std::string_view name;
    bool counter;
    sy_status status;
  } cases[] = {
      {"calls_total", true, SY_OK},
      {"_private_total", true, SY_OK},
      {"calls", true, SY_INVALID},
      {"calls_total", false, SY_INVALID},
      {"", false, SY_INVALID},
      {"9lives", false, SY_INVALID},
      {"with space", false, SY_INVALID},
      {"with:colon", false, SY_INVALID},
      {"h\xc3\xa4user", false, SY_INVALID},
      {"lives9", false, SY_OK},
  };

  for (const auto& c : cases) {
    SCOPED_TRACE(c.name);
    EXPECT_EQ(
        c.counter ? metrics.declare_counter(this, "p", c.name, "", &metric)
                  : metrics.declare_gauge(this, "p", c.name, "", &metric),
        c.status);
  }
  EXPECT_EQ(metrics.declare_gauge(this, "p", std::string(101, 'a'), "", &metric), SY_INVALID);
}

TEST(Metrics, BelongToTheirOwner) {
  Metrics metrics;
  const int first = 1;
  const int second = 2;
  sy_metric* of_first = nullptr;
  sy_metric* of_second = nullptr;

  ASSERT_EQ(metrics.declare_counter(&first, "p", "a_total", "", &of_first), SY_OK);
  EXPECT_EQ(metrics.declare_counter(&first, "p", "a_total", "", &of_first), SY_EXISTS);
  ASSERT_EQ(metrics.declare_counter(&second, "p", "a_total", "", &of_second), SY_OK)
      << "the next generation of a plugin goes on counting";
  metrics_table().add(of_first, 1);
  metrics_table().add(of_second, 1);
  EXPECT_THAT(metrics.text(), HasSubstr("\nswitchyard_p_a_total 2"));

  metrics.withdraw(&first);
  EXPECT_THAT(metrics.text(), HasSubstr("\nswitchyard_p_a_total 2"));
  metrics.withdraw(&second);
  EXPECT_THAT(metrics.text(), Not(HasSubstr("switchyard_p_a_total")));
}

TEST(Metrics, OfTheHostAreNoPlugins) {
  Metrics metrics;
  sy_metric* metric = nullptr;
  EXPECT_EQ(metrics.declare_gauge(this, "host", "threads", "", &metric), SY_EXISTS);
  EXPECT_EQ(metrics.declare_gauge(this, "hosts", "threads", "", &metric), SY_OK);
}

TEST(Metrics, AreBoundedInNumber) {
  Metrics metrics;
  sy_metric* metric = nullptr;
  for (int i = 0; i < 1000; ++i) {
    ASSERT_EQ(metrics.declare_gauge(this, "p", "m" + std::to_string(i), "", &metric), SY_OK);
  }
  EXPECT_EQ(metrics.declare_gauge(this, "p", "one_more", "", &metric), SY_LIMIT);
}

TEST(Metrics, AreFrozenAfterInit) {
  LoggedServices process;
  InstanceServices instance{process.services, {}, "echo", {}};
  sy_metric* metric = nullptr;

  instance.phase = ServicePhase::Running;
  EXPECT_EQ(metrics_table().gauge(&instance.host, text("a"), text(""), &metric), SY_BUSY);
  EXPECT_EQ(metrics_table().counter(&instance.host, text("a_total"), text(""), &metric), SY_BUSY);
}

TEST(Metrics, CountFromManyThreadsWithoutLosingOne) {
  Metrics metrics;
  sy_metric* metric = nullptr;
  ASSERT_EQ(metrics.declare_counter(this, "p", "a_total", "", &metric), SY_OK);

  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([metric] {
      for (int i = 0; i < 10'000; ++i)
        metrics_table().add(metric, 1);
    });
  }
  for (auto& thread : threads)
    thread.join();

  EXPECT_THAT(metrics.text(), HasSubstr("\nswitchyard_p_a_total 40000"));
}

} // namespace
} // namespace switchyard::host
