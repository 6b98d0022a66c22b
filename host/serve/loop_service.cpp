#include <host/crash/boundary.hpp>
#include <host/serve/loop_service.hpp>
#include <host/services/instance_services.hpp>

#include <boost/asio/post.hpp>
#include <sys/socket.h>

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <fcntl.h>
#include <memory>
#include <unistd.h>
#include <utility>

/// A timer of a plugin. Owned by its wait, which the reactor drops only after it has fired or was
/// cancelled; `fire` is null once it must not fire.
struct sy_timer {
  using Timer = boost::asio::basic_waitable_timer<
      switchyard::host::Loop::Clock,
      boost::asio::wait_traits<switchyard::host::Loop::Clock>,
      switchyard::host::Loop::Executor>;

  Timer timer;
  sy_callback fire;
  void* context;
  switchyard::host::InstanceServices& owner; // outlives it: an unload waits for its timers
};

namespace switchyard::host {

namespace {

std::uint32_t current(const sy_host*) {
  const Loop* loop = Loop::current();
  return loop == nullptr ? SY_NO_LOOP : loop->index();
}

std::uint64_t now(const sy_host*) {
  return static_cast<std::uint64_t>(Loop::Clock::now().time_since_epoch().count());
}

sy_status post(const sy_host* host, std::uint32_t loop, sy_callback run, void* context) {
  auto& owner = InstanceServices::of(host);
  auto& loops = loops_of(host);
  if (loop >= loops.size()) return SY_INVALID;
  if (owner.phase == ServicePhase::Stopped) return SY_CANCELLED;
  owner.posts.fetch_add(1, std::memory_order_relaxed);
  boost::asio::post(loops[loop]->loop.executor(), [run, context, &owner] {
    {
      const BoundaryCrossed crossed{"a posted function", owner.plugin};
      run(context);
    }
    owner.ended(owner.posts);
  });
  return SY_OK;
}

sy_status start_timer(
    const sy_host* host, std::uint64_t due, sy_callback fire, void* context, sy_timer** timer) {
  auto& owner = InstanceServices::of(host);
  Loop* loop = Loop::current();
  if (loop == nullptr) return SY_INVALID;
  if (owner.phase == ServicePhase::Stopped) return SY_CANCELLED;
  auto made =
      std::make_unique<sy_timer>(sy_timer{sy_timer::Timer{loop->executor()}, fire, context, owner});
  owner.timers.fetch_add(1, std::memory_order_relaxed);
  *timer = made.get();
  made->timer.expires_at(Loop::Clock::time_point{std::chrono::nanoseconds{
      static_cast<std::int64_t>(std::min<std::uint64_t>(due, INT64_MAX))}});
  auto& waiting = made->timer;
  waiting.async_wait([made = std::move(made)](boost::system::error_code) {
    if (made->fire == nullptr) return; // stopped
    {
      const BoundaryCrossed crossed{"a timer's function", made->owner.plugin};
      made->fire(made->context);
    }
    made->owner.ended(made->owner.timers);
  });
  return SY_OK;
}

void stop_timer(const sy_host* host, sy_timer* timer) {
  timer->fire = nullptr;
  timer->timer.cancel();
  auto& owner = InstanceServices::of(host);
  owner.ended(owner.timers);
}

sy_status adopt(const sy_host* host, std::int32_t descriptor, sy_connection** connection) {
  auto& owner = InstanceServices::of(host);
  LoopStages* loop = current_loop(host);
  const int flags = ::fcntl(descriptor, F_GETFL);
  if (loop == nullptr || flags < 0 || ::fcntl(descriptor, F_SETFL, flags | O_NONBLOCK) != 0) {
    ::close(descriptor);
    return SY_INVALID;
  }
  auto place = loop->on_trial ? take_trial_place(owner) : take_place(owner);
  if (!place) {
    ::close(descriptor);
    return SY_CANCELLED;
  }
  const auto number = loop->on_trial ? loop->connections.next_trial_id() : 0;
  const auto adopted = Connection::open(loop->connections, descriptor, {}, number);
  if (!adopted) return SY_LIMIT;
  (*adopted)->route_to(std::move(place), {}, -1);
  sockaddr_storage peer{};
  socklen_t size = sizeof peer;
  if (::getpeername(descriptor, reinterpret_cast<sockaddr*>(&peer), &size) == 0 &&
      peer.ss_family == AF_UNIX)
    (*adopted)->set_within_process();
  *connection = *adopted;
  return SY_OK;
}

} // namespace

Loops& loops_of(const sy_host* host) noexcept {
  return *static_cast<Loops*>(InstanceServices::of(host).loops.context);
}

LoopStages* current_loop(const sy_host* host) noexcept {
  const Loop* loop = Loop::current();
  return loop == nullptr ? nullptr : loops_of(host)[loop->index()].get();
}

void close_connections(InstanceServices& owner) {
  for (const auto& loop : loops_of(&owner.host)) {
    owner.posts.fetch_add(1); // so that it is there when this runs
    boost::asio::post(loop->loop.executor(), [&owner, &connections = loop->connections] {
      connections.close_those_of(owner);
      owner.ended(owner.posts);
    });
  }
}

void begin_turns(InstanceServices& owner) {
  for (const auto& loop : loops_of(&owner.host)) {
    owner.turns.fetch_add(1);
    boost::asio::post(loop->loop.executor(), [&owner] { owner.ended(owner.turns); });
  }
}

sy_loops make_loop_service(std::uint32_t count) noexcept {
  return {sizeof(sy_loops), count, current, now, post, start_timer, stop_timer, adopt};
}

} // namespace switchyard::host
