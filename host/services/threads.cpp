#include <host/services/instance_services.hpp>
#include <host/services/join_until.hpp>
#include <host/services/signals_blocked.hpp>
#include <host/services/threads.hpp>

#include <algorithm>
#include <array>
#include <atomic>
#include <cstring>
#include <mutex>
#include <pthread.h>
#include <string>
#include <system_error>
#include <thread>
#include <utility>
#include <vector>

struct sy_thread {
  std::thread thread;
  std::atomic<bool> ended{false};
};

namespace switchyard::host {
namespace {

/// What the system shows of a thread's name; pthread_setname_np(3).
constexpr std::size_t kShownNameMax = 15;

void name_this_thread(const std::string& name) noexcept {
  std::array<char, kShownNameMax + 1> shown{};
  std::memcpy(shown.data(), name.data(), std::min(name.size(), kShownNameMax));
  pthread_setname_np(pthread_self(), shown.data());
}

} // namespace

struct Threads::State {
  std::mutex mutex;
  std::vector<std::shared_ptr<sy_thread>> threads; ///< spawned and not joined, guarded by mutex
};

Threads::Threads() : state_{std::make_unique<State>()} {}

Threads::~Threads() {
  static_cast<void>(reap(std::chrono::steady_clock::now()));
}

sy_status Threads::spawn(sy_string name, sy_callback run, void* context, sy_thread** thread) {
  if (run == nullptr || thread == nullptr) return SY_INVALID;
  const std::lock_guard lock{state_->mutex};
  if (state_->threads.size() >= kThreadsMax) return SY_LIMIT;

  auto spawned = std::make_shared<sy_thread>();
  *thread = spawned.get(); // before the thread runs: it may look for itself there
  try {
    const SignalsBlocked blocked;
    spawned->thread =
        std::thread{[spawned, run, context, shown = std::string{name.data, name.size}] {
          name_this_thread(shown);
          run(context);
          spawned->ended = true;
        }};
  } catch (const std::system_error&) {
    *thread = nullptr;
    return SY_NO_MEMORY;
  }
  state_->threads.push_back(std::move(spawned));
  return SY_OK;
}

void Threads::join(sy_thread* thread) {
  std::shared_ptr<sy_thread> joined;
  {
    const std::lock_guard lock{state_->mutex};
    const auto found = std::ranges::find(
        state_->threads, thread, [](const auto& spawned) { return spawned.get(); });
    if (found == state_->threads.end()) return;
    if ((*found)->thread.get_id() == std::this_thread::get_id()) return;
    joined = std::move(*found);
    state_->threads.erase(found);
  }
  joined->thread.join();
}

std::size_t Threads::unjoined() const {
  const std::lock_guard lock{state_->mutex};
  return state_->threads.size();
}

std::size_t Threads::reap(std::chrono::steady_clock::time_point deadline) {
  std::vector<std::shared_ptr<sy_thread>> threads;
  {
    const std::lock_guard lock{state_->mutex};
    threads.swap(state_->threads);
  }
  std::size_t running = 0;
  for (auto& spawned : threads) {
    if (!spawned->ended) {
      spawned->thread.detach();
      ++running;
    } else if (!join_until(std::move(spawned->thread), deadline)) {
      ++running;
    }
  }
  return running;
}

const sy_threads& threads_table() noexcept {
  static constexpr sy_threads kTable{
      .struct_size = sizeof(sy_threads),
      .reserved = 0,
      .spawn =
          [](const sy_host* host,
             sy_string name,
             sy_callback run,
             void* context,
             sy_thread** thread) noexcept {
            auto& services = InstanceServices::of(host);
            if (services.phase == ServicePhase::Stopped) return sy_status{SY_CANCELLED};
            return services.threads.spawn(name, run, context, thread);
          },
      .join = [](const sy_host* host,
                 sy_thread* thread) noexcept { InstanceServices::of(host).threads.join(thread); },
  };
  return kTable;
}

} // namespace switchyard::host
