#include <host/loop/loop.hpp>

#include <pthread.h>
#include <string>
#include <utility>

namespace switchyard::host {

namespace {
thread_local Loop* current_loop = nullptr;
} // namespace

Loop::Loop(std::uint32_t index, std::chrono::microseconds spin) : index_{index}, policy_{spin} {}

Loop::~Loop() {
  stop();
}

Loop* Loop::current() noexcept {
  return current_loop;
}

void Loop::start() {
  thread_ = std::thread{[this] {
    pthread_setname_np(pthread_self(), ("loop-" + std::to_string(index_)).c_str());
    current_loop = this;
    run();
    current_loop = nullptr;
  }};
}

void Loop::stop() {
  if (!thread_.joinable()) return;
  context_.stop();
  thread_.join();
}

void Loop::run() {
  auto worked = Clock::now();
  while (!context_.stopped()) {
    // To poll first would ask the kernel twice: most turns that are shared leave nothing to do.
    auto handlers = policy_.shared() ? 0 : context_.poll();
    if (handlers == 0) {
      if (Clock::now() - worked < policy_.budget()) continue;
      handlers = context_.run_one();
    }
    const auto now = Clock::now();
    policy_.worked(handlers, now - worked, std::exchange(shared_, false));
    worked = now;
  }
}

} // namespace switchyard::host
