#include <switchyard/bytes.hpp>
#include <switchyard/failure.hpp>

#include <plugins/grpc/instance.hpp>
#include <plugins/grpc/status_service.hpp>

#include <boost/assert.hpp>
#include <sys/socket.h>

#include <algorithm>
#include <chrono>
#include <switchyard_manifest.h>
#include <thread>
#include <unistd.h>
#include <utility>

namespace switchyard::grpc {
namespace {

// How long stop() waits for services that were told before to finish their calls; the host waits
// for 10 s.
constexpr std::chrono::seconds kFinishLimit{5};

// How often a drain looks whether connections that were handed over have ended.
constexpr std::chrono::milliseconds kLookInterval{100};

std::uint64_t nanoseconds(std::chrono::nanoseconds duration) {
  return static_cast<std::uint64_t>(duration.count());
}

} // namespace

Instance::Share::Share(Instance& owner, std::uint32_t index)
    : instance{owner},
      loop{
          owner.host_,
          owner.loops_api_,
          index,
          owner.config_,
          owner.metrics_,
          owner.peers_,
          owner} {}

// Streams are told to end when every client knows that it should make its next call elsewhere.
void Instance::Share::drain(void* self) {
  auto& share = *static_cast<Share*>(self);
  share.loop.drain();
  if (--share.instance.to_drain_ == 0) share.instance.live_calls_.ask(false);
}

void Instance::Share::abort(void* self) {
  auto& share = *static_cast<Share*>(self);
  share.loop.abort();
  auto& instance = share.instance;
  const std::lock_guard lock{instance.mutex_};
  --instance.to_abort_;
  instance.changed_.notify_all();
}

Instance::Instance(Host host, std::string_view config)
    : host_{host},
      loops_api_{host_.require<sy_loops>()},
      config_{parse_config(config)},
      metrics_{host_.get(), host_.require<sy_metrics>()},
      limits_{config_.internal.walker_limits(), config_.external.walker_limits()},
      services_{host_.require<sy_journal>()},
      standard_services_{services_, config_.reflection},
      environment_{host_, loops_api_, services_, peers_, metrics_, live_calls_, service_threads_},
      client_{host_, loops_api_, *this},
      unary_alarm_{*this, &Instance::ask_unary_calls},
      direct_alarm_{*this, &Instance::look_after_direct},
      to_abort_{loops_api_.count},
      busy_{loops_api_.count + 2} {
  for (std::uint32_t index = 0; index < loops_api_.count; ++index) {
    shares_.push_back(std::make_unique<Share>(*this, index));
  }
  standard_services_.add(kStatusService, status_service(SY_MANIFEST_VERSION), nullptr);
}

Instance::~Instance() = default;

void Instance::check_config(std::string_view config) {
  static_cast<void>(parse_config(config));
}

void Instance::start() {
  start_library();
  queue_ = std::make_unique<CompletionQueue>();
  queue_->start(host_);
  for (const bool external : {false, true}) {
    for (const bool direct : {false, true}) {
      if (direct && config_.direct_listeners.empty()) continue;
      servers_[external][direct] =
          std::make_unique<Server>(ServerRole{external, direct}, config_, environment_, *queue_);
    }
  }
}

sy_status Instance::serve(std::uint32_t protocol, switchyard::Connection& offered) {
  const auto index = loops_api_.current(host_.get());
  BOOST_ASSERT(index < shares_.size());
  if (shares_[index]->loop.draining()) return SY_CANCELLED;

  sy_connection_info info{};
  if (const auto error = offered.describe(info)) return error.value();
  const bool external = protocol == SY_PROTOCOL_GRPC_EXTERNAL;
  if (info.tls == 0 && config_.is_direct(switchyard::view(info.listener))) {
    return hand_over(*servers_[external][true], offered, info);
  }
  return walk(shares_[index]->loop, external, offered, info);
}

sy_status Instance::walk(
    Loop& loop, bool external, switchyard::Connection& offered, const sy_connection_info& info) {
  int ends[2];
  if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, ends) != 0) {
    return SY_LIMIT;
  }
  sy_connection* inner = nullptr;
  const auto status = loops_api_.adopt(host_.get(), ends[0], &inner);
  if (status != SY_OK) {
    ::close(ends[1]);
    return status;
  }
  const Connection::Peer peer{ends[1], peers_.add(ends[1], info)};
  // Deletes itself when the connection ends.
  auto* const made = new Connection{loop, offered.release(), inner, peer, limits_[external]};
  servers_[external][false]->serve(ends[1]);
  made->start();
  return SY_OK;
}

sy_status Instance::hand_over(
    Server& server, switchyard::Connection& offered, const sy_connection_info& info) {
  sy_descriptor descriptor{};
  if (const auto error = offered.detach(descriptor)) return error.value();
  if (descriptor.read_ahead.size != 0) { // gRPC's core takes a socket as it is
    host_.log(SY_LOG_ERROR, "a host that has read ahead cannot serve direct_listeners");
    ::close(descriptor.descriptor);
    return SY_OK;
  }
  static_cast<void>(peers_.add(descriptor.descriptor, info));
  handed_over_.add(descriptor.descriptor);
  metrics_.connection_handed_over();
  server.serve(descriptor.descriptor);
  return SY_OK;
}

// ---- the end

void Instance::drain(std::chrono::nanoseconds deadline, DrainDone done) {
  const auto now = loops_api_.now(host_.get());
  const auto end = nanoseconds(deadline);
  // A unary call ends by itself, unless it waits for something to happen: then it is told in time.
  unary_alarm_.due = now + (end - std::min(now, end)) / 2;
  bool ended = false;
  {
    const std::lock_guard lock{mutex_};
    ended = busy_ == 0;
    if (!ended) done_ = done;
  }
  begin_drain();
  shares_.front()->loop.post(&Instance::start_alarms, this);
  if (ended) done();
}

void Instance::begin_drain() {
  if (std::exchange(draining_, true)) return;
  standard_services_.drain();
  client_.drain();
  to_drain_ = shares_.size();
  for (const auto& share : shares_)
    share->loop.post(&Share::drain, share.get());
}

void Instance::abort_all() {
  begin_drain();
  client_.abort();
  shares_.front()->loop.post(&Instance::stop_alarms, this);
  begin_shutdown();
}

// Closing the connections that were handed over is up to gRPC, and it takes as long as services
// take to finish their calls: a thread waits for that.
void Instance::begin_shutdown() {
  if (std::exchange(shutting_down_, true)) return;
  for (const auto& share : shares_)
    share->loop.post(&Share::abort, share.get());
  shutdown_ = Thread{host_, "grpc-shutdown", [this] {
                       wait_for_aborts();
                       for (auto& roles : servers_) {
                         for (auto& server : roles) {
                           if (server) server->shutdown();
                         }
                       }
                       end_direct();
                       const std::lock_guard lock{mutex_};
                       shut_down_ = true;
                       changed_.notify_all();
                     }};
}

// gRPC says GOAWAY with an internal error when it is shut down. A loop that had not heard of the
// end by then would pass that on to its clients and end them as ones that broke the protocol. One
// that does not come round within the limit passes on nothing.
void Instance::wait_for_aborts() {
  std::unique_lock lock{mutex_};
  changed_.wait_for(lock, kFinishLimit, [this] { return to_abort_ == 0; });
}

void Instance::stop() {
  abort_all();
  std::unique_lock lock{mutex_};
  // A loop that has been quiet for long may still have posts before it: these have run as well
  // then.
  to_pass_ = shares_.size();
  for (const auto& share : shares_)
    share->loop.post(&Instance::passed, this);
  const auto ended = changed_.wait_for(
      lock, kFinishLimit, [this] { return busy_ == 0 && to_pass_ == 0 && shut_down_; });
  lock.unlock();
  if (!ended) {
    throw Failure{SY_TIMED_OUT, "services have not finished calls that they were told to end"};
  }
  shutdown_.join();
  wait_for_service_threads();
  for (auto& roles : servers_) {
    for (auto& server : roles)
      server.reset();
  }
  queue_.reset();
}

// They wait for nothing any more but for a processor.
void Instance::wait_for_service_threads() const {
  const auto limit = std::chrono::steady_clock::now() + kFinishLimit;
  while (service_threads_.any_inside()) {
    if (std::chrono::steady_clock::now() >= limit)
      throw Failure{SY_TIMED_OUT, "a thread of a service stays inside of a call that has ended"};
    std::this_thread::sleep_for(std::chrono::milliseconds{1});
  }
}

void Instance::ask_unary_calls() {
  live_calls_.ask(true);
}

void Instance::look_after_direct() {
  if (!handed_over_.any_open()) return end_direct();
  direct_alarm_.due = loops_api_.now(host_.get()) + nanoseconds(kLookInterval);
  direct_alarm_.start();
}

void Instance::end_direct() {
  if (!direct_ended_.exchange(true)) one_has_ended();
}

void Instance::loop_is_quiet() {
  one_has_ended();
}

void Instance::client_is_quiet() {
  one_has_ended();
}

void Instance::one_has_ended() {
  std::optional<DrainDone> done;
  {
    const std::lock_guard lock{mutex_};
    if (--busy_ > 0) return;
    done = std::exchange(done_, std::nullopt);
    changed_.notify_all();
  }
  if (done) (*done)();
}

void Instance::passed(void* self) {
  auto& instance = *static_cast<Instance*>(self);
  const std::lock_guard lock{instance.mutex_};
  --instance.to_pass_;
  instance.changed_.notify_all();
}

// ---- what a drain does later

void Instance::start_alarms(void* self) {
  auto& instance = *static_cast<Instance*>(self);
  instance.unary_alarm_.start();
  instance.look_after_direct();
}

void Instance::stop_alarms(void* self) {
  auto& instance = *static_cast<Instance*>(self);
  instance.unary_alarm_.stop();
  instance.direct_alarm_.stop();
}

void Instance::Alarm::start() {
  const auto* host = instance.host_.get();
  const auto status = instance.loops_api_.start_timer(host, due, &Alarm::fired, this, &timer);
  BOOST_VERIFY(status == SY_OK);
}

void Instance::Alarm::stop() noexcept {
  if (timer != nullptr) {
    instance.loops_api_.stop_timer(instance.host_.get(), std::exchange(timer, nullptr));
  }
}

void Instance::Alarm::fired(void* self) {
  auto& alarm = *static_cast<Alarm*>(self);
  alarm.timer = nullptr;
  (alarm.instance.*alarm.ring)();
}

} // namespace switchyard::grpc
