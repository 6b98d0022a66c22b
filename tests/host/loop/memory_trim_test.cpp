#include <host/loop/memory_trim.hpp>

#include <boost/asio/post.hpp>
#include <gtest/gtest.h>

#include <chrono>
#include <fstream>
#include <future>
#include <memory>
#include <unistd.h>
#include <vector>

namespace switchyard::host {
namespace {

using namespace std::chrono_literals;

/// Bytes of this process in memory.
std::size_t resident() {
  std::size_t pages = 0;
  std::ifstream{"/proc/self/statm"} >> pages >> pages; // the second number
  return pages * static_cast<std::size_t>(::sysconf(_SC_PAGESIZE));
}

TEST(MemoryTrim, GivesBackWhatLiesBetweenMemoryInUse) {
  constexpr std::size_t kPieces = 1'000;
  constexpr std::size_t kSize = 16'000;
  Loop loop{0, 0us};
  MemoryTrim memory{loop};
  boost::asio::
      basic_waitable_timer<Loop::Clock, boost::asio::wait_traits<Loop::Clock>, Loop::Executor>
          later{loop.executor()};
  std::vector<std::vector<char>> pieces(2 * kPieces);
  std::size_t before = 0;
  std::promise<std::size_t> after;
  boost::asio::post(loop.executor(), [&] {
    for (std::size_t i = 0; i < kPieces; ++i) {
      memory.opened();
      pieces[2 * i].assign(kSize, 'x');
      pieces[2 * i + 1].assign(16, 'x'); // stays
    }
    for (std::size_t i = 0; i < kPieces; ++i) {
      pieces[2 * i] = std::vector<char>{};
      memory.ended();
    }
    before = resident();
    later.expires_after(1s); // begun later, so behind it
    later.async_wait([&](boost::system::error_code) { after.set_value(resident()); });
  });
  loop.start();
  auto end = after.get_future();
  ASSERT_EQ(end.wait_for(30s), std::future_status::ready);
  loop.stop();
  EXPECT_GT(before, kPieces * kSize);
  EXPECT_LT(end.get(), before - kPieces * kSize / 2);
}

} // namespace
} // namespace switchyard::host
