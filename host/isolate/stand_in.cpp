#include <host/isolate/backoff.hpp>
#include <host/isolate/channel.hpp>
#include <host/isolate/isolated_command.hpp>
#include <host/isolate/lane.hpp>
#include <host/isolate/request.hpp>
#include <host/isolate/stand_in.hpp>
#include <host/plugin/child_process.hpp>
#include <host/plugin/control_call.hpp>
#include <host/services/failure.hpp>
#include <host/services/instance_services.hpp>
#include <host/services/signals_blocked.hpp>

#include <boost/asio/post.hpp>
#include <boost/assert.hpp>
#include <sys/eventfd.h>
#include <sys/wait.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cerrno>
#include <condition_variable>
#include <cstring>
#include <map>
#include <mutex>
#include <optional>
#include <poll.h>
#include <pthread.h>
#include <system_error>
#include <thread>
#include <unistd.h>
#include <utility>

namespace switchyard::host {
namespace {

namespace net = boost::asio;
using Clock = std::chrono::steady_clock;

/// Of what the plugin writes to its standard output and error: a line in the log is no longer.
constexpr std::size_t kOutputLineMax = 1'000;

/// A process that has closed its channel is ending, and has ended by then.
constexpr int kGraceMs = 1'000;

/// What is read of that at once, so that one who writes for ever keeps nobody.
constexpr std::size_t kOutputAtOnce = 65'536;

constexpr const char* kNoMessage = "it sent what is no message";

int milliseconds_until(Clock::time_point until) {
  const auto left = std::chrono::ceil<std::chrono::milliseconds>(until - Clock::now()).count();
  return static_cast<int>(std::clamp<std::int64_t>(left, 0, 1'000'000));
}

/// How a process has ended, as a clause.
std::string ending(int wait_status) {
  if (WIFSIGNALED(wait_status)) {
    const auto number = WTERMSIG(wait_status);
    return "signal " + std::to_string(number) + " (" + ::strsignal(number) + ")";
  }
  return "exit code " + std::to_string(WEXITSTATUS(wait_status));
}

/// The functions of one generation, and the thread that has its process: starts it, hears it, and
/// starts it again. That a process is there, and what it is asked, is settled on this thread alone.
class StandIn final : public IsolatedCode {
public:
  StandIn(const IsolationSurroundings& around, IsolatedPlugin plugin)
      : around_{around},
        plugin_{std::move(plugin)},
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

  /// A metric of the process, in the server.
  struct Shown {
    sy_metric* metric = nullptr;
    bool counter = false;
    double value = 0; ///< of this process
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
  [[nodiscard]] Answer spawn(Clock::time_point until);
  [[nodiscard]] Answer exchange(const Call& call, Clock::time_point until);
  [[nodiscard]] bool send(const Message& message, int descriptor, Clock::time_point until);
  [[nodiscard]] std::optional<Answer> hear();
  void count(const Counted& counted);
  void read_output();
  void wait();
  void restart();
  void serve_now();
  void drained();
  void stop(Clock::time_point until);
  [[nodiscard]] bool has_ended();
  std::string bury(std::string why);
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
  std::atomic<bool> faulty_{false}; ///< the process has sent what it must not

  // The thread's.
  ChildProcess child_;
  Channel control_;
  FileDescriptor output_;
  std::string output_line_;
  std::map<std::string, Shown> shown_; ///< metrics, by name
  std::vector<Channel> to_open_;       ///< ends of lanes whose process does not serve yet
  Clock::time_point started_;
  Backoff backoff_;
  std::optional<Clock::time_point> restart_at_;
  bool closed_ = false; ///< its end of control_
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
          faulty_ = true;
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
  child_.end(); // by the thread that has started it: it is its PR_SET_PDEATHSIG
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
    if (child_.id() == 0) {
      on_each_lane([](Lane& lane) { lane.close_waiting(); });
      drained();
      return {};
    }
    break;
  default: break;
  }
  if (child_.id() == 0) {
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
  auto spawned = spawn(until);
  return spawned.status == SY_OK ? exchange({Function::Init}, until) : spawned;
}

Answer StandIn::spawn(Clock::time_point until) {
  const auto failed = [](int error) {
    return Answer{
        SY_LIMIT, "its process cannot be started: " + std::generic_category().message(error)};
  };
  const auto file = file_of(request_);
  auto output = ChildPipe::make();
  auto control = Channel::pair();
  const auto theirs = ChildProcess::moved_up(std::move(control.theirs).take().release());
  if (!file.open() || !output.writer.open() || !theirs.open()) return failed(errno);
  static_assert(kIsolatedControl == 3);
  const auto error = child_.start(
      around_.program,
      kIsolatedCommand,
      std::array{file.get(), output.writer.get(), output.writer.get(), theirs.get()});
  if (error != 0) {
    child_.end();
    return failed(error);
  }
  control_ = std::move(control.ours);
  output_ = std::move(output.reader);
  output_line_.clear();
  started_ = Clock::now();
  faulty_ = false;
  closed_ = false;
  {
    const std::lock_guard lock{mutex_};
    standing_.process = child_.id();
  }
  to_open_.clear();
  for (std::size_t at = 0; at < lanes_.size(); ++at) {
    auto lane = Channel::pair();
    const auto sent = lane.theirs.open() && send(LaneOpened{}, lane.theirs.descriptor(), until);
    if (!sent) return {SY_CLOSED, bury("it did not take its channels")};
    to_open_.push_back(std::move(lane.ours));
  }
  return {};
}

bool StandIn::send(const Message& message, int descriptor, Clock::time_point until) {
  for (;;) {
    const auto sent = control_.send(message, descriptor);
    if (sent != Channel::Sent::Later) return sent == Channel::Sent::Whole;
    pollfd writable{control_.descriptor(), POLLOUT, 0};
    if (::poll(&writable, 1, milliseconds_until(until)) <= 0) return false;
  }
}

/// Makes a call over there and waits for its answer. When there is none the process ends.
Answer StandIn::exchange(const Call& call, Clock::time_point until) {
  const auto name = std::string{to_string(call.function)};
  if (!send(call, -1, until)) return {SY_CLOSED, bury("it did not take " + name)};
  for (;;) {
    std::array<pollfd, 3> streams{
        {{control_.descriptor(), POLLIN, 0},
         {output_.get(), POLLIN, 0},
         {child_.ended(), POLLIN, 0}}};
    const auto some = ::poll(streams.data(), streams.size(), milliseconds_until(until));
    if (auto answer = hear()) return *std::move(answer);
    read_output();
    if (faulty_) return {SY_CLOSED, bury(kNoMessage)};
    if (has_ended()) {
      return {SY_CLOSED, "its process ended in " + name + " by " + bury({})};
    }
    if (some == 0 && Clock::now() >= until)
      return {SY_TIMED_OUT, bury(name + " did not return within " + duration_text(limit_))};
  }
}

/// Takes what the process has sent. An answer, when one was among it.
std::optional<Answer> StandIn::hear() {
  for (;;) {
    const auto received = control_.receive();
    if (received.heard == Channel::Heard::Fault) faulty_ = true;
    if (received.heard == Channel::Heard::End) closed_ = true;
    if (received.heard != Channel::Heard::Whole) return std::nullopt;
    if (const auto* line = std::get_if<LogLine>(&received.message)) {
      log(line->level, line->text);
    } else if (const auto* counted = std::get_if<Counted>(&received.message)) {
      count(*counted);
    } else if (std::holds_alternative<Drained>(received.message)) {
      drained();
    } else if (const auto* answer = std::get_if<Answer>(&received.message)) {
      return *answer;
    } else {
      faulty_ = true;
      return std::nullopt;
    }
  }
}

/// Brings the metric that the server shows to where that of the process is. One that cannot be
/// declared, for its name or because there are too many, is left out, as it would be here.
void StandIn::count(const Counted& counted) {
  auto& metrics = services_->shared.metrics;
  const auto declare = counted.counter ? &Metrics::declare_counter : &Metrics::declare_gauge;
  auto& shown = shown_[counted.name];
  if (shown.metric == nullptr) {
    const auto declared =
        (metrics.*declare)(services_, plugin_.name, counted.name, counted.help, &shown.metric);
    if (declared != SY_OK) return static_cast<void>(shown_.erase(counted.name));
    shown.counter = counted.counter;
  }
  metrics_table().add(shown.metric, counted.value - std::exchange(shown.value, counted.value));
}

/// Logs what the plugin writes by itself, and what a sanitizer or the loader does.
void StandIn::read_output() {
  std::array<char, 4096> buffer{};
  for (std::size_t taken = 0; taken < kOutputAtOnce;) {
    const auto got = ::read(output_.get(), buffer.data(), buffer.size());
    if (got <= 0) {
      if (got == 0) output_ = FileDescriptor{};
      return;
    }
    taken += static_cast<std::size_t>(got);
    for (const char c : std::string_view{buffer.data(), static_cast<std::size_t>(got)}) {
      if (c != '\n' && output_line_.size() < kOutputLineMax) output_line_ += c;
      if (c != '\n') continue;
      log(SY_LOG_WARN, output_line_);
      output_line_.clear();
    }
  }
}

void StandIn::wait() {
  std::array<pollfd, 4> streams{
      {{wake_.get(), POLLIN, 0},
       {child_.id() == 0 ? -1 : control_.descriptor(), POLLIN, 0},
       {child_.id() == 0 ? -1 : output_.get(), POLLIN, 0},
       {child_.id() == 0 ? -1 : child_.ended(), POLLIN, 0}}};
  const auto limit = restart_at_ ? milliseconds_until(*restart_at_) : -1;
  ::poll(streams.data(), streams.size(), limit);
  eventfd_t ignored = 0;
  ::eventfd_read(wake_.get(), &ignored);
  if (child_.id() == 0) return;
  if (hear()) faulty_ = true; // nobody has asked
  read_output();
  if (faulty_ || has_ended()) bury(faulty_ ? kNoMessage : "");
}

void StandIn::restart() {
  restart_at_.reset();
  const auto until = Clock::now() + limit_;
  auto answer = begin(until);
  for (const auto function : {Function::Start, Function::Activate}) {
    if (answer.status == SY_OK) answer = exchange({function}, until);
  }
  if (answer.status != SY_OK) {
    if (child_.id() != 0) bury(answer.text);
    if (!restart_at_) restart_at_ = Clock::now() + backoff_.after({}); // there was no process
    return;
  }
  std::uint64_t restarts = 0;
  {
    const std::lock_guard lock{mutex_};
    restarts = ++standing_.restarts;
  }
  log(SY_LOG_INFO,
      "process started again pid=" + std::to_string(child_.id()) +
          " restarts=" + std::to_string(restarts));
  serve_now();
}

/// From now on connections go to the process.
void StandIn::serve_now() {
  active_ = true;
  for (std::size_t at = 0; at < to_open_.size(); ++at) {
    on_lane(at, [channel = std::move(to_open_[at])](Lane& lane) mutable {
      lane.open(std::move(channel));
    });
  }
  to_open_.clear();
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

/// Lets the plugin stop, and the process end; one that does not is killed.
void StandIn::stop(Clock::time_point until) {
  active_ = false;
  over_ = true;
  if (child_.id() != 0) {
    const auto stopped = exchange({Function::Stop}, until);
    if (stopped.status != SY_OK) log(SY_LOG_ERROR, "stop(): " + stopped.text);
  }
  if (child_.id() != 0) {
    pollfd ended{child_.ended(), POLLIN, 0};
    ::poll(&ended, 1, milliseconds_until(until));
    static_cast<void>(hear());
    read_output();
    child_.end();
    const std::lock_guard lock{mutex_};
    standing_.process = 0;
  }
  on_each_lane([](Lane& lane) { lane.close(); });
  drained();
}

/// Whether the process has ended, or is about to.
bool StandIn::has_ended() {
  if (!closed_) return child_.has_ended();
  pollfd ended{child_.ended(), POLLIN, 0};
  return ::poll(&ended, 1, kGraceMs) >= 0;
}

/// Ends the process, or what is left of it, and what it had. How it ended: `why` it was killed, or
/// by itself.
std::string StandIn::bury(std::string why) {
  read_output();
  const auto process = child_.id();
  const auto by_itself = child_.has_ended();
  const auto status = child_.end();
  if (by_itself) why = ending(status);
  if (why.empty()) why = "it closed its channel";
  {
    const std::lock_guard lock{mutex_};
    standing_.process = 0;
    standing_.last_end = why;
  }
  log(SY_LOG_ERROR,
      "process ended pid=" + std::to_string(process) + " connections=" +
          std::to_string(services_->connections.load()) + " reason=\"" + why + '"');
  on_each_lane([](Lane& lane) { lane.cut(); });
  for (auto& [name, shown] : shown_) { // the next one begins at nothing; what was counted stays
    if (!shown.counter) metrics_table().add(shown.metric, -shown.value);
    shown.value = 0;
  }
  if (active_) {
    const auto life =
        std::chrono::duration_cast<std::chrono::milliseconds>(Clock::now() - started_);
    const auto wait = backoff_.after(life);
    restart_at_ = Clock::now() + wait;
  }
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
