#include <host/isolate/backoff.hpp>
#include <host/isolate/isolated_process.hpp>
#include <host/isolate/lane.hpp>
#include <host/isolate/request.hpp>
#include <host/isolate/shown_metrics.hpp>
#include <host/isolate/stand_in.hpp>
#include <host/plugin/control_call.hpp>
#include <host/services/failure.hpp>
#include <host/services/instance_services.hpp>
#include <host/services/signals_blocked.hpp>

#include <boost/asio/post.hpp>
#include <boost/assert.hpp>
#include <sys/eventfd.h>

#include <condition_variable>
#include <mutex>
#include <optional>
#include <pthread.h>
#include <system_error>
#include <thread>
#include <utility>

namespace switchyard::host {
namespace {

namespace net = boost::asio;
using Clock = std::chrono::steady_clock;

/// The functions of one generation, and the thread that has its process: starts it, hears it, and
/// starts it again. That a process is there, and what it is asked, is settled on this thread alone.
class StandIn final : public IsolatedCode {
public:
  StandIn(const IsolationSurroundings& around, IsolatedPlugin plugin)
      : around_{around},
        plugin_{std::move(plugin)},
        process_{
            around.program,
            {[this](sy_log_level level, const std::string& line) { log(level, line); },
             [this](const Counted& counted) { shown_.follow(*services_, counted); },
             [this] { drained(); }}},
        backoff_{around.config.limits.restart_delay},
        wake_{::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)} {}

  ~StandIn() override { end_thread(); }

  StandIn(const StandIn&) = delete;
  StandIn& operator=(const StandIn&) = delete;

  [[nodiscard]] const sy_plugin& api() const noexcept override;

  [[nodiscard]] sy_instance* handle() noexcept override {
    return reinterpret_cast<sy_instance*>(this);
  }

  [[nodiscard]] IsolatedStanding standing() const override {
    const std::lock_guard lock{mutex_};
    return standing_;
  }

private:
  /// A call that the control thread waits for.
  struct Wish {
    Call call;
    Clock::time_point until;
    bool begun = false;
    std::optional<Answer> answer{};
  };

  static StandIn& of(sy_instance* instance) { return *reinterpret_cast<StandIn*>(instance); }

  // The functions of sy_plugin; the control thread's but for serve.
  sy_status init(const sy_host* host, sy_string settings, sy_error* error);
  sy_status serve(std::uint32_t protocol, sy_connection* connection);
  sy_status drain(std::uint64_t deadline, sy_drain_done done, void* context);
  sy_status ask(Call call, sy_error* error);
  void end_thread();

  // The thread's.
  void run();
  [[nodiscard]] Wish* next_wish();
  void fulfil(Wish& wish);
  [[nodiscard]] Answer carry_out(const Call& call, Clock::time_point until);
  [[nodiscard]] Answer begin(Clock::time_point until);
  [[nodiscard]] Answer exchange(const Call& call, Clock::time_point until);
  void wait();
  void restart();
  void serve_now();
  void drained();
  void stop(Clock::time_point until);
  std::string bury(std::string why = {});
  void log(sy_log_level level, const std::string& line) const;

  void on_each_lane(void (*task)(Lane&)) {
    for (std::size_t at = 0; at < lanes_.size(); ++at)
      on_lane(at, [task](Lane& lane) { task(lane); });
  }

  /// Runs `task` on the loop of a lane. The instance is not unloaded before it has.
  template <class Task>
  void on_lane(std::size_t at, Task task) {
    services_->posts.fetch_add(1, std::memory_order_relaxed);
    net::post(
        around_.loops[at]->loop().executor(),
        [lane = lanes_[at], services = services_, task = std::move(task)]() mutable {
          task(*lane);
          lane.reset();
          services->ended(services->posts);
        });
  }

  const IsolationSurroundings& around_;
  const IsolatedPlugin plugin_;
  InstanceServices* services_ = nullptr; ///< from init on
  std::string request_;
  std::chrono::milliseconds limit_{};
  std::vector<std::shared_ptr<Lane>> lanes_; ///< one a loop

  mutable std::mutex mutex_; ///< of what follows
  std::condition_variable changed_;
  Wish* wish_ = nullptr;
  bool leave_ = false;
  IsolatedStanding standing_;
  sy_drain_done drain_done_ = nullptr;
  void* drain_context_ = nullptr;

  std::thread thread_;

  // The thread's.
  IsolatedProcess process_;
  ShownMetrics shown_;
  Backoff backoff_;
  std::optional<Clock::time_point> restart_at_;
  bool active_ = false; ///< a process that ends is started again
  bool over_ = false;
  const FileDescriptor wake_; ///< readable when there is a wish
};

const sy_plugin& StandIn::api() const noexcept {
  static constexpr sy_plugin kFunctions{
      .magic = SY_PLUGIN_MAGIC,
      .struct_size = sizeof(sy_plugin),
      .abi_major = SY_ABI_MAJOR,
      .abi_minor = SY_ABI_MINOR,
      .flags = 0,
      .id = "",
      .version = "",
      .manifest = "",
      .check_config = nullptr,
      .init =
          [](const sy_host* host, sy_string settings, sy_instance** instance, sy_error* error) {
            return of(*instance).init(host, settings, error);
          },
      .start = [](sy_instance* i, sy_error* error) { return of(i).ask({Function::Start}, error); },
      .activate = [](sy_instance* i,
                     sy_error* error) { return of(i).ask({Function::Activate}, error); },
      .serve = [](sy_instance* i,
                  std::uint32_t protocol,
                  sy_connection* connection) { return of(i).serve(protocol, connection); },
      .serve_descriptor = nullptr,
      .health = [](sy_instance* i,
                   sy_error* error) { return of(i).ask({Function::Health}, error); },
      .drain =
          [](sy_instance* i, std::uint64_t deadline, sy_drain_done done, void* context) {
            return of(i).drain(deadline, done, context);
          },
      .abort_all =
          [](sy_instance* i) { static_cast<void>(of(i).ask({Function::AbortAll}, nullptr)); },
      .stop = [](sy_instance* i, sy_error* error) { return of(i).ask({Function::Stop}, error); },
      .destroy = [](sy_instance* i) { of(i).end_thread(); },
      .query = nullptr,
      .quiesce = nullptr,
      .take_over = nullptr};
  return kFunctions;
}

sy_status StandIn::init(const sy_host* host, sy_string settings, sy_error* error) {
  services_ = &InstanceServices::of(host);
  limit_ = around_.config.limits.control_timeout;
  IsolatedRequest request{plugin_, {settings.data, settings.size}, SY_LOG_TRACE, around_.config};
  while (request.log_level < SY_LOG_ERROR && !services_->shared.log.enabled(request.log_level))
    ++request.log_level;
  request.config.host.loops = static_cast<std::uint32_t>(around_.loops.size());
  request_ = to_text(request);
  for (auto* owner : around_.loops) {
    lanes_.push_back(
        std::make_shared<Lane>(*owner, *services_, around_.config.limits.restart_wait, [this] {
          process_.accuse();
          ::eventfd_write(wake_.get(), 1);
        }));
  }
  {
    const SignalsBlocked blocked;
    try {
      thread_ = std::thread{[this] {
        pthread_setname_np(pthread_self(), "isolated");
        run();
      }};
    } catch (const std::system_error& none) {
      return fail(error, SY_LIMIT, std::string{"no thread for its process: "} + none.what());
    }
  }
  const auto status = ask({Function::Init}, error);
  if (status != SY_OK) end_thread();
  return status;
}

sy_status StandIn::serve(std::uint32_t protocol, sy_connection* connection) {
  const auto* loop = Loop::current();
  BOOST_ASSERT(loop != nullptr);
  return lanes_[loop->index()]->take(protocol, *static_cast<Connection*>(connection));
}

sy_status StandIn::drain(std::uint64_t deadline, sy_drain_done done, void* context) {
  {
    const std::lock_guard lock{mutex_};
    drain_done_ = done;
    drain_context_ = context;
  }
  return ask({Function::Drain, deadline}, nullptr);
}

/// Has the thread carry `call` out, and waits for that.
sy_status StandIn::ask(Call call, sy_error* error) {
  Wish wish{call, Clock::now() + limit_};
  std::unique_lock lock{mutex_};
  wish_ = &wish;
  ::eventfd_write(wake_.get(), 1);
  // A restart may be under way; what has begun is ended by the thread in time.
  changed_.wait_until(lock, wish.until, [&] { return wish.begun; });
  if (!wish.begun) {
    wish_ = nullptr;
    return fail(error, SY_TIMED_OUT, "its process is being started again");
  }
  changed_.wait(lock, [&] { return wish.answer.has_value(); });
  return wish.answer->status == SY_OK ? SY_OK : fail(error, wish.answer->status, wish.answer->text);
}

/// Ends the thread, and with it a process that is left.
void StandIn::end_thread() {
  if (!thread_.joinable()) return;
  {
    const std::lock_guard lock{mutex_};
    leave_ = true;
  }
  ::eventfd_write(wake_.get(), 1);
  thread_.join();
}

void StandIn::run() {
  while (!over_) {
    {
      const std::lock_guard lock{mutex_};
      if (leave_) break;
    }
    if (auto* wish = next_wish()) {
      fulfil(*wish);
    } else if (restart_at_ && *restart_at_ <= Clock::now()) {
      restart();
    } else {
      wait();
    }
  }
  if (process_.running()) process_.end();
}

StandIn::Wish* StandIn::next_wish() {
  const std::lock_guard lock{mutex_};
  auto* wish = std::exchange(wish_, nullptr);
  if (wish == nullptr) return nullptr;
  wish->begun = true;
  changed_.notify_all();
  return wish;
}

void StandIn::fulfil(Wish& wish) {
  auto answer = carry_out(wish.call, wish.until);
  const std::lock_guard lock{mutex_};
  wish.answer = std::move(answer);
  changed_.notify_all();
}

Answer StandIn::carry_out(const Call& call, Clock::time_point until) {
  switch (call.function) {
  case Function::Init: {
    auto answer = begin(until);
    over_ = answer.status != SY_OK;
    return answer;
  }
  case Function::Stop: stop(until); return {};
  case Function::AbortAll: on_each_lane([](Lane& lane) { lane.close_waiting(); }); break;
  case Function::Drain:
    active_ = false;
    restart_at_.reset();
    if (!process_.running()) {
      on_each_lane([](Lane& lane) { lane.close_waiting(); });
      drained();
      return {};
    }
    break;
  default: break;
  }
  if (!process_.running()) {
    if (call.function == Function::AbortAll) return {};
    const std::lock_guard lock{mutex_};
    return {SY_CLOSED, "its process has ended (" + standing_.last_end + ")"};
  }
  auto answer = exchange(call, until);
  if (call.function == Function::Activate && answer.status == SY_OK) serve_now();
  return answer;
}

/// A process whose plugin has been initialised; or why there is none.
Answer StandIn::begin(Clock::time_point until) {
  auto none = process_.start(request_, lanes_.size(), until);
  if (none) {
    if (process_.running()) bury(*none);
    return {SY_LIMIT, *std::move(none)};
  }
  {
    const std::lock_guard lock{mutex_};
    standing_.process = process_.id();
  }
  return exchange({Function::Init}, until);
}

/// Has a call made by the process. One that does not answer is ended.
Answer StandIn::exchange(const Call& call, Clock::time_point until) {
  auto answer = process_.exchange(call, until);
  if (answer) return *std::move(answer);
  const auto function = std::string{to_string(call.function)};
  if (Clock::now() >= until && !answer.error().empty())
    return {SY_TIMED_OUT, bury(function + " did not return within " + duration_text(limit_))};
  return {SY_CLOSED, "its process ended in " + function + " by " + bury(answer.error())};
}

void StandIn::wait() {
  const auto well = process_.wait(wake_.get(), restart_at_);
  eventfd_t ignored = 0;
  ::eventfd_read(wake_.get(), &ignored);
  if (!well) bury();
}

void StandIn::restart() {
  restart_at_.reset();
  const auto until = Clock::now() + limit_;
  auto answer = begin(until);
  for (const auto function : {Function::Start, Function::Activate}) {
    if (answer.status == SY_OK) answer = exchange({function}, until);
  }
  if (answer.status != SY_OK) {
    if (process_.running()) bury(answer.text);
    if (!restart_at_) restart_at_ = Clock::now() + backoff_.after({}); // there was no process
    return;
  }
  std::uint64_t restarts = 0;
  {
    const std::lock_guard lock{mutex_};
    restarts = ++standing_.restarts;
  }
  log(SY_LOG_INFO,
      "process started again pid=" + std::to_string(process_.id()) +
          " restarts=" + std::to_string(restarts));
  serve_now();
}

/// From now on connections go to the process.
void StandIn::serve_now() {
  active_ = true;
  auto channels = process_.take_lanes();
  for (std::size_t at = 0; at < channels.size(); ++at) {
    on_lane(at, [channel = std::move(channels[at])](Lane& lane) mutable {
      lane.open(std::move(channel));
    });
  }
}

void StandIn::drained() {
  sy_drain_done done = nullptr;
  void* context = nullptr;
  {
    const std::lock_guard lock{mutex_};
    done = std::exchange(drain_done_, nullptr);
    context = drain_context_;
  }
  if (done != nullptr) done(context);
}

/// Lets the plugin stop, and the process end; one that does not is killed. What is left of its
/// connections ends with it.
void StandIn::stop(Clock::time_point until) {
  active_ = false;
  over_ = true;
  if (process_.running()) {
    const auto stopped = exchange({Function::Stop}, until);
    if (stopped.status != SY_OK) log(SY_LOG_ERROR, "stop(): " + stopped.text);
  }
  if (process_.running()) {
    process_.see_out(until);
    const std::lock_guard lock{mutex_};
    standing_.process = 0;
  }
  on_each_lane([](Lane& lane) { lane.close(); });
  {
    std::unique_lock lock{services_->shared.ends.mutex};
    services_->shared.ends.wait_until(lock, until, [&] { return services_->posts == 0; });
  }
  drained();
}

/// Ends the process, or what is left of it, and what it had. How it ended: by itself, or `why` it
/// was made to.
std::string StandIn::bury(std::string why) {
  const auto process = process_.id();
  const auto life = process_.age();
  why = clean(process_.end(std::move(why)));
  {
    const std::lock_guard lock{mutex_};
    standing_.process = 0;
    standing_.last_end = why;
  }
  log(SY_LOG_ERROR,
      "process ended pid=" + std::to_string(process) + " connections=" +
          std::to_string(services_->connections.load()) + " reason=\"" + why + '"');
  on_each_lane([](Lane& lane) { lane.cut(); });
  shown_.begin_anew();
  if (active_) restart_at_ = Clock::now() + backoff_.after(life);
  drained(); // of one that drains nothing is left
  return why;
}

void StandIn::log(sy_log_level level, const std::string& line) const {
  const auto& host = services_->host;
  host.log(&host, level, {line.data(), line.size()});
}

} // namespace

Isolate make_isolate(IsolationSurroundings around) {
  return [around = std::move(around)](IsolatedPlugin plugin) -> std::unique_ptr<IsolatedCode> {
    return std::make_unique<StandIn>(around, std::move(plugin));
  };
}

} // namespace switchyard::host
