#include <plugins/netrpc/instance.hpp>
#include <plugins/netrpc/multi_connection.hpp>
#include <plugins/netrpc/single_connection.hpp>
#include <plugins/netrpc/status_ping.hpp>

#include <boost/assert.hpp>

#include <switchyard_manifest.h>
#include <utility>

using namespace switchyard;
using namespace switchyard::netrpc;

namespace {

// How long stop() waits for endpoints that were told long before to answer.
constexpr std::chrono::seconds kAnswersLimit{5};

void drain_loop(void* loop) {
  static_cast<Loop*>(loop)->drain();
}

void abort_loop(void* loop) {
  static_cast<Loop*>(loop)->abort();
}

} // namespace

sy_instance::sy_instance(const sy_host* host, std::string_view config)
    : endpoints{Host{host}.require<sy_journal>()},
      host_{host},
      loops_api_{host_.require<sy_loops>()},
      config_{parse_config(config)},
      metrics_{host, host_.require<sy_metrics>()},
      busy_loops_{loops_api_.count} {
  for (std::uint32_t index = 0; index < loops_api_.count; ++index) {
    loops_.push_back(
        std::make_unique<Loop>(host, loops_api_, index, config_, endpoints, metrics_, *this));
  }
  const auto added = endpoints.add(kStatusPing, status_ping(), nullptr);
  BOOST_VERIFY(added == SY_OK);
}

sy_instance::~sy_instance() = default;

sy_status sy_instance::serve(std::uint32_t protocol, sy_connection* connection) {
  const auto index = loops_api_.current(host_.get());
  BOOST_ASSERT(index < loops_.size());
  auto& loop = *loops_[index];
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
  for (const auto& loop : loops_)
    loop->post(&drain_loop, loop.get());
}

void sy_instance::abort_all() {
  begin_drain();
  for (const auto& loop : loops_)
    loop->post(&abort_loop, loop.get());
}

void sy_instance::stop() {
  abort_all();
  std::unique_lock lock{mutex_};
  const auto quiet = quiet_.wait_for(lock, kAnswersLimit, [this] { return busy_loops_ == 0; });
  lock.unlock();
  if (!quiet || !local_calls.wait(kAnswersLimit)) {
    throw Failure{SY_TIMED_OUT, "endpoints have not answered calls that they were told to end"};
  }
}

void sy_instance::loop_is_quiet() {
  sy_drain_done done = nullptr;
  void* context = nullptr;
  {
    const std::lock_guard lock{mutex_};
    if (--busy_loops_ > 0) return;
    done = std::exchange(done_, nullptr);
    context = done_context_;
    quiet_.notify_all();
  }
  if (done != nullptr) done(context);
}
