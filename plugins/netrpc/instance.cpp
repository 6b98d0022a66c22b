#include <plugins/netrpc/instance.hpp>
#include <plugins/netrpc/multi_connection.hpp>
#include <plugins/netrpc/single_connection.hpp>
#include <plugins/netrpc/status_ping.hpp>

#include <boost/assert.hpp>

#include <functional>
#include <switchyard_manifest.h>
#include <utility>

namespace switchyard::netrpc {
namespace {

// How long stop() waits for endpoints that were told before to answer; the host waits for 10 s.
constexpr std::chrono::seconds kAnswersLimit{5};

// A day: what is longer is a mistake, and could overflow.
constexpr std::uint64_t kTimeoutMax = 86'400'000'000'000;

void throw_unless_taken(sy_status status) {
  if (status == SY_EXISTS) throw Failure{status, "another endpoint has this name"};
  if (status != SY_OK)
    throw Failure{status, "an endpoint is named Service.Method and has a call function"};
}

} // namespace

Instance::Share::Share(Instance& instance, const sy_dial* dial, std::uint32_t index)
    : loop{
          instance.host_.get(),
          instance.loops_api_,
          index,
          instance.config_,
          instance.endpoints_,
          instance.metrics_,
          instance},
      clients{instance.host_.get(), dial, loop} {}

void Instance::Share::drain(void* self) {
  static_cast<Share*>(self)->loop.drain();
}

void Instance::Share::abort(void* self) {
  auto& share = *static_cast<Share*>(self);
  share.clients.abort();
  share.loop.abort();
}

Instance::Instance(Host host, std::string_view config)
    : host_{host},
      endpoints_{host_.require<sy_journal>()},
      loops_api_{host_.require<sy_loops>()},
      config_{parse_config(config)},
      metrics_{host_.get(), host_.require<sy_metrics>()},
      busy_loops_{loops_api_.count} {
  const auto* dial = host_.find<sy_dial>();
  for (std::uint32_t index = 0; index < loops_api_.count; ++index) {
    shares_.push_back(std::make_unique<Share>(*this, dial, index));
  }
  const auto added = endpoints_.add(kStatusPing, status_ping(), nullptr);
  BOOST_VERIFY(added == SY_OK);
}

Instance::~Instance() = default;

void Instance::check_config(std::string_view config) {
  static_cast<void>(parse_config(config));
}

sy_status Instance::serve(std::uint32_t protocol, switchyard::Connection& offered) {
  const auto index = loops_api_.current(host_.get());
  BOOST_ASSERT(index < shares_.size());
  auto& loop = shares_[index]->loop;
  if (loop.draining()) return SY_CANCELLED;

  // Each deletes itself when its connection ends.
  switch (protocol) {
  case SY_PROTOCOL_NETRPC_SINGLE:
    (new SingleConnection{loop, offered.release(), Audience::Authenticated})->start();
    return SY_OK;
  case SY_PROTOCOL_NETRPC_MULTI:
    (new MultiConnection{loop, offered.release()})->start();
    return SY_OK;
  case SY_PROTOCOL_NETRPC_INSECURE:
    (new SingleConnection{loop, offered.release(), Audience::Insecure})->start();
    return SY_OK;
  default: return SY_UNSUPPORTED;
  }
}

void Instance::drain(std::chrono::nanoseconds, DrainDone done) {
  bool quiet = false;
  {
    const std::lock_guard lock{mutex_};
    quiet = busy_loops_ == 0;
    if (!quiet) done_ = done;
  }
  begin_drain();
  if (quiet) done();
}

void Instance::begin_drain() {
  if (std::exchange(draining_, true)) return;
  local_calls_.cancel_all();
  for (const auto& share : shares_)
    share->loop.post(&Share::drain, share.get());
}

void Instance::bind(
    std::string_view key, const sy_netrpc_endpoint& entry, sy_registration* registration) {
  throw_unless_taken(endpoints_.add(key, entry, registration));
}

void Instance::exchange(std::span<sy_registration* const> gone, std::span<const sy_binding> come) {
  throw_unless_taken(endpoints_.exchange(gone, come));
}

void Instance::end_soon(const sy_registration* registration, bool) {
  struct Telling {
    Loop& loop;
    const sy_registration* registration;

    static void run(void* self) {
      const std::unique_ptr<Telling> telling{static_cast<Telling*>(self)};
      telling->loop.end_soon(telling->registration);
    }
  };

  local_calls_.end_soon(registration);
  for (const auto& share : shares_) {
    auto telling = std::make_unique<Telling>(Telling{share->loop, registration});
    if (share->loop.post(&Telling::run, telling.get())) static_cast<void>(telling.release());
  }
}

void Instance::abort_all() {
  begin_drain();
  for (const auto& share : shares_)
    share->loop.post(&Share::abort, share.get());
}

void Instance::stop() {
  abort_all();
  const auto limit = std::chrono::steady_clock::now() + kAnswersLimit;
  std::unique_lock lock{mutex_};
  // A loop that has been quiet for long may still have posts before it: these have run as well
  // then.
  to_pass_ = shares_.size();
  for (const auto& share : shares_)
    share->loop.post(&Instance::passed, this);
  const auto quiet =
      changed_.wait_until(lock, limit, [this] { return busy_loops_ == 0 && to_pass_ == 0; });
  lock.unlock();
  if (!quiet || !local_calls_.wait(limit)) {
    throw Failure{SY_TIMED_OUT, "endpoints have not answered calls that they were told to end"};
  }
}

void Instance::passed(void* self) {
  auto& instance = *static_cast<Instance*>(self);
  const std::lock_guard lock{instance.mutex_};
  --instance.to_pass_;
  instance.changed_.notify_all();
}

sy_status Instance::call(
    const sy_netrpc_request& request,
    sy_netrpc_done done,
    void* context,
    sy_netrpc_invocation** invocation) {
  if (request.address.size == 0 || request.method.size == 0 || request.body.size == 0 ||
      request.timeout == 0 || request.timeout > kTimeoutMax || request.tls == SY_DIAL_INSECURE) {
    return SY_INVALID;
  }
  // Calls of one server meet on one loop, so that they share a session.
  const auto index = std::hash<std::string_view>{}(view(request.address)) % shares_.size();
  auto* made = new sy_netrpc_invocation{this, shares_[index]->clients, request, done, context};
  *invocation = made;
  return made->begin() ? SY_OK : SY_CANCELLED;
}

void Instance::loop_is_quiet() {
  std::optional<DrainDone> done;
  {
    const std::lock_guard lock{mutex_};
    if (--busy_loops_ > 0) return;
    done = std::exchange(done_, std::nullopt);
    changed_.notify_all();
  }
  if (done) (*done)();
}

} // namespace switchyard::netrpc
