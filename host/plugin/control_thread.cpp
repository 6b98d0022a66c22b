#include <host/plugin/control_thread.hpp>

#include <boost/assert.hpp>

#include <condition_variable>
#include <mutex>
#include <pthread.h>
#include <signal.h>

namespace switchyard::host {

/// Where the two threads meet; the given-up one keeps it alive.
struct ControlThread::Desk {
  std::mutex mutex;
  std::condition_variable changed;
  std::function<void()> work; ///< empty: done
  bool leave = false;

  void serve() {
    std::unique_lock lock{mutex};
    for (;;) {
      changed.wait(lock, [&] { return work || leave; });
      if (!work) return;
      lock.unlock();
      work();
      lock.lock();
      work = nullptr;
      changed.notify_all();
    }
  }
};

ControlThread::ControlThread() = default;

ControlThread::~ControlThread() {
  renew();
}

bool ControlThread::run(std::chrono::milliseconds limit, std::function<void()> work) {
  if (!desk_) {
    desk_ = std::make_shared<Desk>();
    // Signals are the main thread's.
    sigset_t all;
    sigset_t before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    thread_ = std::thread{[desk = desk_] {
      pthread_setname_np(pthread_self(), "control");
      desk->serve();
    }};
    pthread_sigmask(SIG_SETMASK, &before, nullptr);
  }
  BOOST_ASSERT(thread_.get_id() != std::this_thread::get_id());

  std::unique_lock lock{desk_->mutex};
  desk_->work = std::move(work);
  desk_->changed.notify_all();
  if (desk_->changed.wait_for(lock, limit, [&] { return !desk_->work; })) return true;
  desk_->leave = true;
  lock.unlock();
  thread_.detach();
  desk_.reset();
  return false;
}

void ControlThread::renew() {
  if (!desk_) return;
  {
    const std::lock_guard lock{desk_->mutex};
    desk_->leave = true;
    desk_->changed.notify_all();
  }
  thread_.join();
  desk_.reset();
}

} // namespace switchyard::host
