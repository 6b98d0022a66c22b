#include <host/loop/descriptor_blocks.hpp>

#include <boost/asio/posix/basic_stream_descriptor.hpp>
#include <gtest/gtest.h>
#include <sys/eventfd.h>
#include <sys/resource.h>

#include <cstdlib>
#include <new>
#include <vector>

namespace {
thread_local std::size_t allocations = 0;
} // namespace

void* operator new(std::size_t size) {
  ++allocations;
  if (void* memory = std::malloc(size)) return memory;
  throw std::bad_alloc{};
}

void operator delete(void* memory) noexcept {
  std::free(memory);
}

void operator delete(void* memory, std::size_t) noexcept {
  std::free(memory);
}

namespace switchyard::host {
namespace {

constexpr auto kBlock = DescriptorBlocks::kBlock;

class DescriptorBlocksTest : public testing::Test {
protected:
  DescriptorBlocksTest() {
    descriptors_.reserve(2 * kBlock);
    const Descriptor first{loop_.executor()}; // what Asio makes once, is there
  }

  /// Registers `count` more descriptors; how many allocations that took.
  std::size_t open(std::size_t count) {
    const auto before = allocations;
    for (std::size_t i = 0; i < count; ++i)
      descriptors_.emplace_back(loop_.executor(), ::eventfd(0, EFD_CLOEXEC));
    return allocations - before;
  }

  void close_all() { descriptors_.clear(); }

  Loop loop_{0, std::chrono::microseconds{0}};
  DescriptorBlocks blocks_{loop_};

private:
  using Descriptor = boost::asio::posix::basic_stream_descriptor<Loop::Executor>;
  std::vector<Descriptor> descriptors_;
};

TEST_F(DescriptorBlocksTest, AsioMakesOneRecordADescriptorAndKeepsIt) {
  EXPECT_EQ(open(kBlock), kBlock);
  close_all();
  EXPECT_EQ(open(kBlock), 0);
}

TEST_F(DescriptorBlocksTest, ABlockServesAsManyDescriptors) {
  blocks_.reserve(1);
  EXPECT_EQ(open(kBlock), 0);
  EXPECT_EQ(open(1), 1);
}

TEST_F(DescriptorBlocksTest, GrowsOnlyBeyondItsBlocks) {
  blocks_.reserve(kBlock);
  const auto before = allocations;
  blocks_.reserve(kBlock);
  EXPECT_EQ(allocations, before);
  open(kBlock);
  blocks_.reserve(kBlock + 1);
  EXPECT_EQ(open(kBlock), 0);
}

TEST_F(DescriptorBlocksTest, TriesAgainOnceThereIsAFreeDescriptor) {
  rlimit limit{};
  ASSERT_EQ(::getrlimit(RLIMIT_NOFILE, &limit), 0);
  const rlimit none{0, limit.rlim_max};
  const auto before = allocations;
  ASSERT_EQ(::setrlimit(RLIMIT_NOFILE, &none), 0);
  blocks_.reserve(1);
  ASSERT_EQ(::setrlimit(RLIMIT_NOFILE, &limit), 0);
  EXPECT_EQ(allocations, before);
  blocks_.reserve(1);
  EXPECT_EQ(open(kBlock), 0);
}

} // namespace
} // namespace switchyard::host
