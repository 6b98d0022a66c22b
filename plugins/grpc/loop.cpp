#include <plugins/grpc/loop.hpp>

#include <boost/assert.hpp>

namespace switchyard::grpc {

Loop::Loop(
    const Host& made_for,
    const sy_loops& loops,
    std::uint32_t index,
    const Config& configuration,
    const Metrics& counts,
    Peers& known,
    Owner& owner)
    : host{made_for},
      api{loops},
      config{configuration},
      metrics{counts},
      peers{known},
      index_{index},
      scratch_{std::make_unique_for_overwrite<std::byte[]>(kScratchSize)},
      owner_{owner} {}

Loop::~Loop() {
  BOOST_ASSERT(connections_.empty());
}

void Loop::post(sy_callback run, void* context) const {
  // The host refuses only after stop(), which waits for everybody who could post.
  const auto status = api.post(host.get(), index_, run, context);
  BOOST_VERIFY(status == SY_OK);
}

std::chrono::nanoseconds Loop::now() const noexcept {
  return std::chrono::nanoseconds{api.now(host.get())};
}

void Loop::add(Connection& connection) {
  connections_.push_back(connection);
  metrics.connection_began();
}

void Loop::remove(Connection& connection) noexcept {
  metrics.connection_ended();
  connections_.erase(connections_.iterator_to(connection));
  check_quiet();
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
  if (!draining_ || quiet_posted_ || !connections_.empty()) return;
  quiet_posted_ = true;
  post(&Loop::quiet, this);
}

void Loop::quiet(void* self) {
  static_cast<Loop*>(self)->owner_.loop_is_quiet();
}

} // namespace switchyard::grpc
