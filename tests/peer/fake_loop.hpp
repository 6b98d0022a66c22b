#pragma once

#include <switchyard/loops.h>

#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <thread>
#include <utility>

namespace switchyard::peer {

class FakeHost;
struct FakeConnection;

/// One loop of a FakeHost: a thread that polls, posts, fires timers and completes operations.
class FakeLoop {
public:
  explicit FakeLoop(FakeHost& host);
  ~FakeLoop();
  FakeLoop(const FakeLoop&) = delete;
  FakeLoop& operator=(const FakeLoop&) = delete;

  /// Null on a thread that is no loop.
  [[nodiscard]] static FakeLoop* current() noexcept;

  /// Any thread.
  void post(std::function<void()> work);
  void wake();

  // On the loop only.
  sy_timer* start_timer(std::uint64_t due, sy_callback fire, void* context);
  void stop_timer(sy_timer* timer);
  FakeConnection& connect(int socket, bool tls);
  void close(FakeConnection& connection, sy_close_reason reason);
  void release(FakeConnection& connection);

private:
  void run();
  std::deque<std::function<void()>> take_posts();
  void fire_timers();
  void complete(std::uint64_t id, short events);

  FakeHost& host_;
  int wake_;
  std::mutex mutex_;
  std::deque<std::function<void()>> posts_; // under mutex_
  bool ending_ = false;                     // under mutex_
  std::map<std::uint64_t, std::unique_ptr<FakeConnection>> connections_;
  std::map<sy_timer*, std::unique_ptr<sy_timer>> timers_;
  std::uint64_t next_id_ = 1;
  std::thread thread_;
};

} // namespace switchyard::peer
