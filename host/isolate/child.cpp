#include <host/crash/boundary.hpp>
#include <host/crash/crash_box.hpp>
#include <host/isolate/channel.hpp>
#include <host/isolate/child.hpp>
#include <host/isolate/child_lane.hpp>
#include <host/isolate/isolated_command.hpp>
#include <host/isolate/request.hpp>
#include <host/log/log.hpp>
#include <host/plugin/descriptor.hpp>
#include <host/plugin/library.hpp>
#include <host/serve/dial_service.hpp>
#include <host/serve/loop_service.hpp>
#include <host/services/failure.hpp>

#include <boost/asio/post.hpp>
#include <spdlog/spdlog.h>
#include <sys/prctl.h>

#include <atomic>
#include <chrono>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <fcntl.h>
#include <functional>
#include <future>
#include <iostream>
#include <iterator>
#include <map>
#include <memory>
#include <optional>
#include <poll.h>
#include <string>
#include <unistd.h>
#include <utility>
#include <vector>

namespace switchyard::host {
namespace {

namespace net = boost::asio;
using Clock = std::chrono::steady_clock;

/// How often the host is told what metrics stand at.
constexpr std::chrono::milliseconds kMetricsInterval{500};

/// For what a stopped plugin may leave for a moment: a last post on its way back.
constexpr std::chrono::seconds kLeftoversLimit{1};

[[noreturn]] void leave(int code) {
  std::fflush(nullptr);
  ::_exit(code); // the plugin's destructors are none of our business
}

/// The process: the plugin and its services, and what the host asks of it. Its functions are called
/// by the main thread, which is the plugin's [control].
class Process {
public:
  Process(IsolatedRequest request, Channel control)
      : request_{std::move(request)},
        control_{std::move(control)},
        config_{std::make_shared<const Config>(request_.config)},
        loop_service_{make_loop_service(config_->host.loops)},
        services_{
            {[this](std::string_view, sy_log_level level, std::string_view line) {
               write_log(level, line);
             },
             [this](sy_log_level level) { return level >= request_.log_level; }},
            config_->limits.control_timeout / 2},
        instance_services_{
            services_,
            LoopServices{
                &loop_service_,
                &kDialService,
                &loops_,
                &cancel_dials,
                &close_connections,
                &begin_turns},
            request_.plugin.name,
            {}} {
    for (std::uint32_t i = 0; i < config_->host.loops; ++i)
      loops_.push_back(std::make_unique<LoopStages>(i, config_, log_.component("isolated")));
  }

  /// Does what it is told until it is to stop, or nobody is there to tell it.
  void run() {
    open_lanes();
    for (;;) {
      const auto call = next();
      const auto* told = std::get_if<Call>(&call.message);
      if (told == nullptr) leave(EXIT_FAILURE);
      answer(carry_out(*told));
      if (told->function == Function::Stop) return;
    }
  }

private:
  /// Waits for the next message.
  Channel::Received next() {
    for (;;) {
      auto received = control_.receive();
      if (received.heard == Channel::Heard::Whole) return received;
      if (received.heard != Channel::Heard::Nothing) leave(EXIT_FAILURE); // the host has gone
      pollfd readable{control_.descriptor(), POLLIN, 0};
      if (::poll(&readable, 1, static_cast<int>(kMetricsInterval.count())) == 0) tell_metrics();
    }
  }

  /// What has changed since the host was told; what it does not take is told the next time.
  void tell_metrics() {
    for (auto& sample : services_.metrics.samples(request_.plugin.name)) {
      const auto known = told_.find(sample.name);
      if (known != told_.end() && known->second == sample.value) continue;
      const Counted counted{sample.counter, sample.value, sample.name, std::move(sample.help)};
      if (control_.send(counted) != Channel::Sent::Whole) return;
      told_[sample.name] = sample.value;
    }
  }

  void answer(const Answer& said) {
    while (control_.send(said) == Channel::Sent::Later) {
      pollfd writable{control_.descriptor(), POLLOUT, 0};
      ::poll(&writable, 1, -1);
    }
  }

  /// On any thread, none of which waits: what the host does not take in time is counted.
  void write_log(sy_log_level level, std::string_view line) {
    if (const auto lost = lost_lines_.exchange(0); lost != 0) {
      const LogLine told{SY_LOG_WARN, std::to_string(lost) + " lines of its log were lost"};
      if (control_.send(told) != Channel::Sent::Whole) lost_lines_ += lost;
    }
    if (control_.send(LogLine{level, std::string{line}}) != Channel::Sent::Whole) ++lost_lines_;
  }

  void open_lanes() {
    for (const auto& loop : loops_) {
      auto opened = next();
      if (!std::holds_alternative<LaneOpened>(opened.message) || !opened.descriptor.open())
        leave(EXIT_FAILURE);
      lanes_.push_back(std::make_unique<ChildLane>(*loop, std::move(opened.descriptor)));
    }
  }

  Answer carry_out(const Call& call) {
    sy_error error{.struct_size = sizeof(sy_error), .code = SY_OK, .text = {}};
    const auto status = [&]() -> sy_status {
      switch (call.function) {
      case Function::Init: return init(error);
      case Function::Start: return make("start()", [&] { return api_->start(instance_, &error); });
      case Function::Activate: return activate(error);
      case Function::Health:
        return make("health()", [&] { return api_->health(instance_, &error); });
      case Function::Drain: return drain(call.deadline);
      case Function::AbortAll: return abort_all();
      case Function::Stop: return stop(error);
      case Function::Count: break;
      }
      return SY_INVALID;
    }();
    return status == SY_OK ? Answer{} : Answer{status, std::string{said(error)}};
  }

  template <class Body>
  sy_status make(std::string_view function, const Body& body) {
    if (instance_ == nullptr) return SY_INVALID;
    const BoundaryCrossed crossed{function, request_.plugin.name};
    return body();
  }

  sy_status init(sy_error& error) {
    const auto& [name, path, staged, generation, verified] = request_.plugin;
    const auto* tls = config_->tls ? &*config_->tls : nullptr;
    auto contexts = TlsContexts::load(tls, {});
    if (!contexts) return fail(&error, SY_INVALID, contexts.error());
    for (const auto& loop : loops_) {
      loop->tls = *contexts;
      loop->loop.start();
    }
    // The host puts the plugin's name in front.
    auto library = Library::open({}, path, staged, verified.platform);
    if (!library) return fail(&error, SY_INVALID, library.error().text);
    library_ = *std::move(library);
    const auto range = library_.code();
    code_.emplace(range.data(), range.size(), name, generation, "");
    api_ = &library_.descriptor();
    if (const auto judged = check_descriptor({}, path, *api_, verified); !judged)
      return fail(&error, SY_INVALID, judged.error().text);
    const BoundaryCrossed crossed{"init()", name};
    const sy_string settings{request_.settings.data(), request_.settings.size()};
    const auto status = api_->init(&instance_services_.host, settings, &instance_, &error);
    if (status != SY_OK) return status;
    if (instance_ == nullptr) return fail(&error, SY_INTERNAL, "it gives no instance");
    instance_services_.phase = ServicePhase::Running;
    return SY_OK;
  }

  sy_status activate(sy_error& error) {
    const auto status = make("activate()", [&] { return api_->activate(instance_, &error); });
    if (status != SY_OK) return status;
    served_.emplace(
        ServedCode{*api_, instance_, request_.plugin.verified.manifest, instance_services_});
    on_each_lane([this](ChildLane& lane) { lane.serve(*served_); });
    return SY_OK;
  }

  sy_status drain(std::uint64_t deadline) {
    // What the host has passed before it asked is the plugin's already.
    on_each_lane([](ChildLane& lane) { lane.take_all(); });
    instance_services_.draining = true;
    instance_services_.cancel_dials();
    return make("drain()", [&] {
      const auto done = [](void* context) { static_cast<Process*>(context)->tell_drained(); };
      return api_->drain(instance_, deadline, done, this);
    });
  }

  void tell_drained() {
    while (control_.send(Drained{}) == Channel::Sent::Later) {
      pollfd writable{control_.descriptor(), POLLOUT, 0};
      ::poll(&writable, 1, -1);
    }
  }

  sy_status abort_all() {
    instance_services_.draining = true;
    return make("abort_all()", [&]() -> sy_status {
      api_->abort_all(instance_);
      return SY_OK;
    });
  }

  sy_status stop(sy_error& error) {
    tell_metrics();
    instance_services_.draining = true;
    instance_services_.cancel_dials();
    static_cast<void>(
        instance_services_.dials_ended(Clock::now() + config_->limits.control_timeout));
    const auto status = make("stop()", [&] { return api_->stop(instance_, &error); });
    instance_services_.phase = ServicePhase::Stopped;
    if (status != SY_OK) return status;
    const auto destroyed = make("destroy()", [&]() -> sy_status {
      api_->destroy(std::exchange(instance_, nullptr));
      return SY_OK;
    });
    const auto left = instance_services_.leftovers(Clock::now() + kLeftoversLimit);
    if (!left.empty()) write_log(SY_LOG_WARN, "ends with its process: " + left);
    return destroyed;
  }

  /// Runs `task` on every loop and waits; the host ends a process that waits for too long.
  void on_each_lane(const std::function<void(ChildLane&)>& task) {
    std::vector<std::future<void>> ends;
    for (std::size_t at = 0; at < lanes_.size(); ++at) {
      const auto end = std::make_shared<std::promise<void>>();
      ends.push_back(end->get_future());
      net::post(loops_[at]->loop.executor(), [&task, end, lane = lanes_[at].get()] {
        task(*lane);
        end->set_value();
      });
    }
    for (const auto& end : ends)
      end.wait();
  }

  IsolatedRequest request_;
  const Channel control_;
  std::atomic<std::uint64_t> lost_lines_{0};
  std::map<std::string, double> told_; ///< of each metric
  Log log_{spdlog::level::warn, LogFormat::Plain};
  std::shared_ptr<const Config> config_;
  Loops loops_;
  const sy_loops loop_service_;
  Services services_;
  InstanceServices instance_services_;
  std::vector<std::unique_ptr<ChildLane>> lanes_; ///< one a loop
  Library library_;
  std::optional<LoadedCode> code_;
  const sy_plugin* api_ = nullptr;
  sy_instance* instance_ = nullptr;
  std::optional<ServedCode> served_;
};

} // namespace

void run_isolated() {
  std::signal(SIGPIPE, SIG_IGN); // a peer that has gone is an error code of the write
  // A service is told to stop by a signal to each of its processes: when this one ends, the host
  // says.
  for (const int of_the_host : {SIGTERM, SIGINT, SIGHUP})
    std::signal(of_the_host, SIG_IGN);
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  static_cast<void>(install_crash_box("/dev/null")); // its line goes to the host's log
  ::fcntl(kIsolatedControl, F_SETFD, FD_CLOEXEC);

  auto request = parse_isolated_request(std::string{std::istreambuf_iterator<char>{std::cin}, {}});
  if (!request) {
    std::fputs("no request of a server: this command is not for people\n", stderr);
    leave(EXIT_FAILURE);
  }
  // It is left as it is, with its loops: the end of the process ends all of it.
  auto& process = *new Process{*std::move(request), Channel{FileDescriptor{kIsolatedControl}}};
  process.run();
  leave(EXIT_SUCCESS);
}

} // namespace switchyard::host
