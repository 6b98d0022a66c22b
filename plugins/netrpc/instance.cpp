#include <plugins/netrpc/instance.hpp>
#include <plugins/netrpc/multi_connection.hpp>
#include <plugins/netrpc/single_connection.hpp>
#include <plugins/netrpc/status_ping.hpp>

#include <boost/assert.hpp>

#include <functional>
#include <switchyard_manifest.h>
#include <utility>

using namespace switchyard;
using namespace switchyard::netrpc;

namespace {

// How long stop() waits for endpoints that were told before to answer; the host waits for 10 s.
constexpr std::chrono::seconds kAnswersLimit{5};

// A day: what is longer is a mistake, and could overflow.
constexpr std::uint64_t kTimeoutMax = 86'400'000'000'000;

} // namespace

sy_instance::Share::Share(sy_instance& instance, const sy_dial* dial, std::uint32_t index)
    : loop{
          instance.host_.get(),
          instance.loops_api_,
          index,
          instance.config_,
          instance.endpoints,
          instance.metrics_,
          instance},
      clients{instance.host_.get(), dial, loop} {}

void sy_instance::Share::drain(void* self) {
  static_cast<Share*>(self)->loop.drain();
}

void sy_instance::Share::abort(void* self) {
  auto& share = *static_cast<Share*>(self);
  share.clients.abort();
  share.loop.abort();
}

sy_instance::sy_instance(const sy_host* host, std::string_view config)
    : endpoints{Host{host}.require<sy_journal>()},
      host_{host},
      loops_api_{host_.require<sy_loops>()},
      config_{parse_config(config)},
      metrics_{host, host_.require<sy_metrics>()},
      busy_loops_{loops_api_.count} {
  const auto* dial = host_.find<sy_dial>();
  for (std::uint32_t index = 0; index < loops_api_.count; ++index) {
    shares_.push_back(std::make_unique<Share>(*this, dial, index));
  }
  const auto added = endpoints.add(kStatusPing, status_ping(), nullptr);
  BOOST_VERIFY(added == SY_OK);
}

sy_instance::~sy_instance() = default;

sy_status sy_instance::serve(std::uint32_t protocol, sy_connection* connection) {
  const auto index = loops_api_.current(host_.get());
  BOOST_ASSERT(index < shares_.size());
  auto& loop = shares_[index]->loop;
  if (loop.draining()) return SY_CANCELLED;

  // Each deletes itself when its connection ends.
  switch (protocol) {
  case SY_PROTOCOL_NETRPC_SINGLE:
    (new SingleConnection{loop, connection, Audience::Authenticated})->start();
    return SY_OK;
  case SY_PROTOCOL_NETRPC_MULTI: (new MultiConnection{loop, connection})->start(); return SY_OK;
  case SY_PROTOCOL_NETRPC_INSECURE:
    (new SingleConnection{loop, connection, Audience::Insecure})->start();
    return SY_OK;
  default: return SY_UNSUPPORTED;
  }
}

void sy_instance::drain(sy_drain_done done, void* context) {
  bool quiet = false;
  {
    const std::lock_guard lock{mutex_};
    quiet = busy_loops_ == 0;
    if (!quiet) {
      done_ = done;
      done_context_ = context;
    }
  }
  begin_drain();
  if (quiet) done(context);
}

void sy_instance::begin_drain() {
  if (std::exchange(draining_, true)) return;
  local_calls.cancel_all();
  for (const auto& share : shares_)
    share->loop.post(&Share::drain, share.get());
}

void sy_instance::end_soon(const sy_registration* registration) {
  struct Telling {
    Loop& loop;
    const sy_registration* registration;

    static void run(void* self) {
      const std::unique_ptr<Telling> telling{static_cast<Telling*>(self)};
      telling->loop.end_soon(telling->registration);
    }
  };

  local_calls.end_soon(registration);
  for (const auto& share : shares_) {
    auto telling = std::make_unique<Telling>(Telling{share->loop, registration});
    if (share->loop.post(&Telling::run, telling.get())) static_cast<void>(telling.release());
  }
}

void sy_instance::abort_all() {
  begin_drain();
  for (const auto& share : shares_)
    share->loop.post(&Share::abort, share.get());
}

void sy_instance::stop() {
  abort_all();
  const auto limit = std::chrono::steady_clock::now() + kAnswersLimit;
  std::unique_lock lock{mutex_};
  // A loop that has been quiet for long may still have posts before it: these have run as well
  // then.
  to_pass_ = shares_.size();
  for (const auto& share : shares_)
    share->loop.post(&sy_instance::passed, this);
  const auto quiet =
      changed_.wait_until(lock, limit, [this] { return busy_loops_ == 0 && to_pass_ == 0; });
  lock.unlock();
  if (!quiet || !local_calls.wait(limit)) {
    throw Failure{SY_TIMED_OUT, "endpoints have not answered calls that they were told to end"};
  }
}

void sy_instance::passed(void* self) {
  auto& instance = *static_cast<sy_instance*>(self);
  const std::lock_guard lock{instance.mutex_};
  --instance.to_pass_;
  instance.changed_.notify_all();
}

sy_status sy_instance::call(
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

void sy_instance::loop_is_quiet() {
  sy_drain_done done = nullptr;
  void* context = nullptr;
  {
    const std::lock_guard lock{mutex_};
    if (--busy_loops_ > 0) return;
    done = std::exchange(done_, nullptr);
    context = done_context_;
    changed_.notify_all();
  }
  if (done != nullptr) done(context);
}
