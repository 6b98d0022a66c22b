#include <host/plugin/control_thread.hpp>
#include <host/services/join_until.hpp>
#include <host/services/signals_blocked.hpp>

#include <boost/assert.hpp>

#include <condition_variable>
#include <mutex>
#include <pthread.h>
#include <utility>

namespace switchyard::host {

namespace {

constexpr std::chrono::seconds kEndLimit{10};

} // namespace

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
  static_cast<void>(renew(kEndLimit));
}

bool ControlThread::run(std::chrono::milliseconds limit, std::function<void()> work) {
  if (!desk_) {
    desk_ = std::make_shared<Desk>();
    const SignalsBlocked blocked;
    thread_ = std::thread{[desk = desk_] {
      pthread_setname_np(pthread_self(), "control");
      desk->serve();
    }};
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
  ++given_up_;
  return false;
}

bool ControlThread::renew(std::chrono::milliseconds limit) {
  if (!desk_) return true;
  {
    const std::lock_guard lock{desk_->mutex};
    desk_->leave = true;
    desk_->changed.notify_all();
  }
  desk_.reset();

  if (join_until(std::move(thread_), std::chrono::steady_clock::now() + limit)) return true;
  ++given_up_;
  return false;
}

} // namespace switchyard::host
