#include <plugins/netrpc/loop.hpp>

#include <boost/assert.hpp>

#include <utility>

namespace switchyard::netrpc {

Loop::Loop(
    const sy_host* made_for,
    const sy_loops& loops,
    std::uint32_t index,
    const Config& configuration,
    const EndpointTable& table,
    const Metrics& metrics,
    Owner& owner)
    : host{made_for},
      config{configuration},
      yamux_limits{configuration.yamux_limits()},
      endpoints{table},
      deadlines{made_for, loops},
      count{metrics},
      loops_{loops},
      index_{index},
      scratch_{std::make_unique_for_overwrite<std::byte[]>(kScratchSize)},
      owner_{owner} {}

Loop::~Loop() {
  BOOST_ASSERT(connections_.empty() && kept_calls_ == 0);
}

bool Loop::post(sy_callback run, void* context) const {
  return loops_.post(host.get(), index_, run, context) == SY_OK;
}

void Loop::add(Connection& connection) {
  connections_.push_back(connection);
}

void Loop::remove(Connection& connection) noexcept {
  connections_.erase(connections_.iterator_to(connection));
  check_quiet();
}

void Loop::keep(Call& call) {
  calls_.push_back(call);
  call_kept();
}

void Loop::call_ended() {
  --kept_calls_;
  check_quiet();
}

// One that answers at once is still there: its answer takes a turn of its own.
void Loop::end_soon(const sy_registration* registration) {
  for (auto& call : calls_) {
    if (call.registration() == registration) call.cancel();
  }
}

void Loop::drain() {
  draining_ = true;
  for (auto next = connections_.begin(); next != connections_.end();) {
    auto& connection = *next++; // it may end at once
    connection.drain();
  }
  check_quiet();
}

void Loop::abort() {
  draining_ = true;
  while (!connections_.empty())
    connections_.front().abort();
  check_quiet();
}

// With a post in between, so that nothing of the loop is on the stack any more when the owner hears
// of it: it may free everything at once.
void Loop::check_quiet() {
  if (!draining_ || quiet_posted_ || !connections_.empty() || kept_calls_ != 0) return;
  quiet_posted_ = true;
  post(&Loop::quiet, this);
}

void Loop::quiet(void* self) {
  auto& loop = *static_cast<Loop*>(self);
  loop.deadlines.stop();
  loop.count.publish();
  loop.owner_.loop_is_quiet();
}

} // namespace switchyard::netrpc
