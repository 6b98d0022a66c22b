#pragma once

#include <switchyard/threads.hpp>

#include <condition_variable>
#include <deque>
#include <functional>
#include <mutex>

namespace switchyard::raft {

/// A thread that does one task after the other. Who gives it tasks gives it few: each connection
/// has at most one here. Any thread.
class Worker {
public:
  /// Starts the thread. Throws Failure. [control]
  void start(const Host& host, std::string_view name) {
    {
      const std::lock_guard lock{mutex_};
      ended_ = false;
    }
    thread_ = Thread{host, name, [this] { run(); }};
  }

  /// Drops what waits, and returns when the task that runs has ended. [control]
  void end() {
    {
      const std::lock_guard lock{mutex_};
      ended_ = true;
      changed_.notify_all();
    }
    thread_.join();
    tasks_.clear();
  }

  /// Runs `task` later, after those before it; drops it when the thread is ended. False: it is
  /// ended already.
  bool post(std::function<void()> task) {
    const std::lock_guard lock{mutex_};
    if (ended_) return false;
    tasks_.push_back(std::move(task));
    changed_.notify_one();
    return true;
  }

private:
  void run() {
    std::unique_lock lock{mutex_};
    for (;;) {
      changed_.wait(lock, [this] { return ended_ || !tasks_.empty(); });
      if (ended_) return;
      auto task = std::move(tasks_.front());
      tasks_.pop_front();
      lock.unlock();
      task();
      task = nullptr;
      lock.lock();
    }
  }

  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<std::function<void()>> tasks_;
  bool ended_ = true;
  Thread thread_;
};

} // namespace switchyard::raft
