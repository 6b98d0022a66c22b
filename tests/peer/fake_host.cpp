#include <tests/peer/fake_connection.hpp>
#include <tests/peer/fake_host.hpp>
#include <tests/peer/fake_loop.hpp>

#include <future>
#include <string_view>

struct sy_thread {
  std::thread thread;
};

struct sy_metric {
  switchyard::peer::FakeHost* host;
  std::string name;
};

namespace switchyard::peer {

struct FakeServices {
  static FakeHost& of(const sy_host* host) { return *static_cast<FakeHost*>(host->host_data); }

  static void log(const sy_host* host, sy_log_level, sy_string line) {
    const std::lock_guard lock{of(host).mutex_};
    of(host).lines_.emplace_back(line.data, line.size);
  }

  static std::uint32_t log_enabled(const sy_host*, sy_log_level) { return 1; }

  static const void* service(const sy_host* host, const char* id) {
    auto& self = of(host);
    const auto found = self.offered_.find(id);
    return found == self.offered_.end() ? nullptr : found->second;
  }

  static std::uint32_t current(const sy_host* host) {
    const auto& loops = of(host).loops_;
    for (std::uint32_t at = 0; at < loops.size(); ++at) {
      if (loops[at].get() == FakeLoop::current()) return at;
    }
    return SY_NO_LOOP;
  }

  static std::uint64_t now(const sy_host* host) { return of(host).now_; }

  static sy_status post(const sy_host* host, std::uint32_t loop, sy_callback run, void* context) {
    auto& self = of(host);
    if (self.stopped) return SY_CANCELLED;
    ++self.posts;
    self.loops_.at(loop)->post([&self, run, context] {
      run(context);
      --self.posts;
    });
    return SY_OK;
  }

  static sy_status start_timer(
      const sy_host* host, std::uint64_t due, sy_callback fire, void* context, sy_timer** timer) {
    if (of(host).stopped) return SY_CANCELLED;
    *timer = FakeLoop::current()->start_timer(due, fire, context);
    return SY_OK;
  }

  static void stop_timer(const sy_host*, sy_timer* timer) {
    FakeLoop::current()->stop_timer(timer);
  }

  static sy_status adopt(const sy_host*, std::int32_t descriptor, sy_connection** connection) {
    *connection = &FakeLoop::current()->connect(descriptor, false);
    return SY_OK;
  }

  static sy_status declare(const sy_host* host, sy_string name, sy_string, sy_metric** metric) {
    auto& self = of(host);
    const std::lock_guard lock{self.mutex_};
    const std::string key{name.data, name.size};
    if (!self.metrics_.emplace(key, 0).second) return SY_EXISTS;
    *metric = new sy_metric{&self, key};
    self.declared_.emplace_back(*metric, [](sy_metric* old) { delete old; });
    return SY_OK;
  }

  static void add(sy_metric* metric, double amount) {
    const std::lock_guard lock{metric->host->mutex_};
    metric->host->metrics_[metric->name] += amount;
  }

  static sy_status
  spawn(const sy_host* host, sy_string, sy_callback run, void* context, sy_thread** thread) {
    ++of(host).threads;
    *thread = new sy_thread{std::thread{[run, context] { run(context); }}};
    return SY_OK;
  }

  static void join(const sy_host* host, sy_thread* thread) {
    thread->thread.join();
    delete thread;
    --of(host).threads;
  }
};

FakeHost::FakeHost(std::uint32_t loops) {
  host_ = {
      sizeof host_, 0, this, FakeServices::log, FakeServices::log_enabled, FakeServices::service};
  loops_table_ = {
      sizeof loops_table_,
      loops,
      FakeServices::current,
      FakeServices::now,
      FakeServices::post,
      FakeServices::start_timer,
      FakeServices::stop_timer,
      FakeServices::adopt};
  metrics_table_ = {
      sizeof metrics_table_, 0, FakeServices::declare, FakeServices::declare, FakeServices::add};
  threads_table_ = {sizeof threads_table_, 0, FakeServices::spawn, FakeServices::join};
  offer(SY_LOOPS, &loops_table_);
  offer(SY_METRICS, &metrics_table_);
  offer(SY_THREADS, &threads_table_);
  for (std::uint32_t at = 0; at < loops; ++at)
    loops_.push_back(std::make_unique<FakeLoop>(*this));
}

FakeHost::~FakeHost() {
  loops_.clear();
}

void FakeHost::advance(std::uint64_t nanoseconds) {
  now_ += nanoseconds;
  for (const auto& loop : loops_)
    loop->wake();
}

void FakeHost::on_loop(std::uint32_t loop, const std::function<void()>& work) {
  std::promise<void> done;
  loops_.at(loop)->post([&] {
    work();
    done.set_value();
  });
  done.get_future().wait();
}

sy_connection* FakeHost::connect(int socket, bool tls) {
  return &FakeLoop::current()->connect(socket, tls);
}

void FakeHost::note_closed(sy_close_reason reason) {
  const std::lock_guard lock{mutex_};
  closed_.push_back(reason);
  changed_.notify_all();
}

std::vector<sy_close_reason> FakeHost::closed(std::size_t count) {
  std::unique_lock lock{mutex_};
  changed_.wait(lock, [&] { return closed_.size() >= count; });
  return closed_;
}

std::vector<std::string> FakeHost::lines() const {
  const std::lock_guard lock{mutex_};
  return lines_;
}

double FakeHost::metric(const std::string& name) const {
  const std::lock_guard lock{mutex_};
  return metrics_.at(name);
}

} // namespace switchyard::peer
