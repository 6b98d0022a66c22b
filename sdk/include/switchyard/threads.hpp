#pragma once

#include <switchyard/host.hpp>

#include <memory>
#include <string_view>
#include <utility>

namespace switchyard {

/// A thread that the host counts, joined at the latest by its destructor. Move-only. Control or a
/// thread of the plugin; never a loop.
class Thread {
public:
  Thread() noexcept = default;

  /// Runs `work` on a thread of that name (15 bytes are shown). What it throws is logged. Throws
  /// Failure when the system gives no thread.
  template <class Work>
  Thread(const Host& host, std::string_view name, Work work)
      : host_{host.get()}, threads_{&host.require<sy_threads>()} {
    struct Run {
      Host host;
      Work work;

      static void run(void* context) noexcept {
        const std::unique_ptr<Run> self{static_cast<Run*>(context)};
        logged_at_boundary(self->host, [&] { self->work(); });
      }
    };

    auto run = std::make_unique<Run>(Run{host, std::move(work)});
    const auto status = threads_->spawn(host_, to_c(name), &Run::run, run.get(), &thread_);
    if (status != SY_OK) throw Failure{status, "the host could not start a thread"};
    static_cast<void>(run.release());
  }

  Thread(Thread&& other) noexcept
      : host_{other.host_},
        threads_{other.threads_},
        thread_{std::exchange(other.thread_, nullptr)} {}

  Thread& operator=(Thread&& other) noexcept {
    join();
    host_ = other.host_;
    threads_ = other.threads_;
    thread_ = std::exchange(other.thread_, nullptr);
    return *this;
  }

  ~Thread() { join(); }

  /// Waits until it has ended. Does nothing the second time.
  void join() noexcept {
    if (auto* thread = std::exchange(thread_, nullptr)) threads_->join(host_, thread);
  }

private:
  const sy_host* host_ = nullptr;
  const sy_threads* threads_ = nullptr;
  sy_thread* thread_ = nullptr;
};

} // namespace switchyard
