#pragma once

#include <chrono>
#include <cstddef>
#include <functional>
#include <memory>
#include <thread>

namespace switchyard::host {

/// The one thread that plugins know as [control]. A call that does not return in time is given up
/// with its thread, and the next call gets a new one: a hung plugin stops itself only.
class ControlThread {
public:
  ControlThread();

  /// Waits for the thread, but not for ever, unless it was given up.
  ~ControlThread();
  ControlThread(const ControlThread&) = delete;
  ControlThread& operator=(const ControlThread&) = delete;

  /// Runs `work` on the thread and waits for it. False: it still runs after `limit`, so `work` owns
  /// all that it uses. Not from the thread itself.
  [[nodiscard]] bool run(std::chrono::milliseconds limit, std::function<void()> work);

  /// Ends the thread, and with it everything thread_local that plugins have left on it; the next
  /// run() starts another. False: a destructor of theirs still runs after `limit`, and the thread
  /// is left behind.
  [[nodiscard]] bool renew(std::chrono::milliseconds limit);

  /// Threads that were given up or left behind.
  [[nodiscard]] std::size_t given_up() const noexcept { return given_up_; }

private:
  struct Desk;
  std::shared_ptr<Desk> desk_; ///< null: no thread
  std::thread thread_;
  std::size_t given_up_ = 0;
};

} // namespace switchyard::host
