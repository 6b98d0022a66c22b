#include <host/services/join_until.hpp>
#include <host/services/signals_blocked.hpp>

#include <future>
#include <memory>
#include <utility>

namespace switchyard::host {

bool join_until(std::thread thread, std::chrono::steady_clock::time_point deadline) {
  // A join has no limit; its thread has ended only when what is thread_local has, too.
  const auto ended = std::make_shared<std::promise<void>>();
  std::thread joiner;
  {
    const SignalsBlocked blocked;
    joiner = std::thread{[ended, thread = std::move(thread)]() mutable {
      thread.join();
      ended->set_value();
    }};
  }
  if (ended->get_future().wait_until(deadline) == std::future_status::ready) {
    joiner.join();
    return true;
  }
  joiner.detach();
  return false;
}

} // namespace switchyard::host
