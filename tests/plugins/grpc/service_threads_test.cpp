#include <plugins/grpc/service_threads.hpp>

#include <gtest/gtest.h>

namespace switchyard::grpc {
namespace {

TEST(ServiceThreads, AreInsideUntilTheLastHasLeft) {
  ServiceThreads threads;
  EXPECT_FALSE(threads.any_inside());
  {
    const ServiceThreads::Inside one{threads};
    {
      const ServiceThreads::Inside other{threads};
      EXPECT_TRUE(threads.any_inside());
    }
    EXPECT_TRUE(threads.any_inside());
  }
  EXPECT_FALSE(threads.any_inside());
}

} // namespace
} // namespace switchyard::grpc
