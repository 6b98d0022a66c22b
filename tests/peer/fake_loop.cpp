#include <gtest/gtest.h>
#include <sys/eventfd.h>
#include <tests/peer/fake_connection.hpp>
#include <tests/peer/fake_host.hpp>
#include <tests/peer/fake_loop.hpp>

#include <fcntl.h>
#include <poll.h>
#include <unistd.h>
#include <vector>

struct sy_timer {
  std::uint64_t due;
  sy_callback fire;
  void* context;
};

namespace switchyard::peer {

namespace {
thread_local FakeLoop* this_loop = nullptr;
}

FakeLoop::FakeLoop(FakeHost& host)
    : host_{host}, wake_{::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)}, thread_{[this] { run(); }} {}

FakeLoop::~FakeLoop() {
  {
    const std::lock_guard lock{mutex_};
    ending_ = true;
  }
  wake();
  thread_.join();
  for (const auto& [id, connection] : connections_)
    ::close(connection->socket);
  ::close(wake_);
}

FakeLoop* FakeLoop::current() noexcept {
  return this_loop;
}

void FakeLoop::post(std::function<void()> work) {
  {
    const std::lock_guard lock{mutex_};
    posts_.push_back(std::move(work));
  }
  wake();
}

void FakeLoop::wake() {
  const std::uint64_t once = 1;
  EXPECT_EQ(::write(wake_, &once, sizeof once), static_cast<ssize_t>(sizeof once));
}

sy_timer* FakeLoop::start_timer(std::uint64_t due, sy_callback fire, void* context) {
  auto timer = std::make_unique<sy_timer>(sy_timer{due, fire, context});
  auto* raw = timer.get();
  timers_.emplace(raw, std::move(timer));
  ++host_.timers;
  wake(); // it may be due already
  return raw;
}

void FakeLoop::stop_timer(sy_timer* timer) {
  EXPECT_EQ(timers_.erase(timer), 1u) << "a timer was stopped that had fired";
  --host_.timers;
}

FakeConnection& FakeLoop::connect(int socket, bool tls) {
  ::fcntl(socket, F_SETFL, ::fcntl(socket, F_GETFL) | O_NONBLOCK);
  auto connection = std::make_unique<FakeConnection>();
  connection->api = &kFakeConnectionApi;
  connection->loop = this;
  connection->id = next_id_++;
  connection->socket = socket;
  connection->tls = tls;
  ++host_.connections;
  return *connections_.emplace(connection->id, std::move(connection)).first->second;
}

void FakeLoop::close(FakeConnection& connection, sy_close_reason reason) {
  ::close(connection.socket);
  release(connection);
  host_.note_closed(reason);
}

void FakeLoop::release(FakeConnection& connection) {
  --host_.connections;
  EXPECT_EQ(connections_.erase(connection.id), 1u);
}

std::deque<std::function<void()>> FakeLoop::take_posts() {
  const std::lock_guard lock{mutex_};
  return std::exchange(posts_, {});
}

void FakeLoop::fire_timers() {
  const auto now = host_.now_.load();
  for (bool fired = true; fired;) {
    fired = false;
    for (const auto& [raw, timer] : timers_) {
      if (timer->due > now) continue;
      const auto due = *timer;
      timers_.erase(raw);
      --host_.timers;
      due.fire(due.context);
      fired = true;
      break; // the map may have changed
    }
  }
}

void FakeLoop::complete(std::uint64_t id, short events) {
  const auto find = [&]() -> FakeConnection* {
    const auto found = connections_.find(id);
    return found == connections_.end() ? nullptr : found->second.get();
  };

  auto* connection = find();
  const bool cancelled = connection->cancelled;
  connection->cancelled = false;
  if (connection->read && (cancelled || (events & (POLLIN | POLLHUP | POLLERR)) != 0)) {
    const auto read = *connection->read;
    std::size_t got = 0;
    auto status = cancelled ? SY_CANCELLED : SY_OK;
    if (status == SY_OK && read.buffer != nullptr) {
      status = connection->api->try_read(connection, read.buffer, read.capacity, &got);
    }
    if (status != SY_AGAIN) {
      connection->read.reset();
      read.done(read.context, status, got);
    }
  }

  connection = find();
  if (connection == nullptr || !connection->write) return;
  if (!cancelled && (events & (POLLOUT | POLLHUP | POLLERR)) == 0) return;
  auto& write = *connection->write;
  auto status = cancelled ? SY_CANCELLED : SY_OK;
  std::size_t sent = 0;
  if (status == SY_OK) {
    status = write_some(connection->socket, write.left.data(), write.left.size(), sent);
  }
  write.written += sent;
  while (!write.left.empty() && sent >= write.left.front().size) {
    sent -= write.left.front().size;
    write.left.erase(write.left.begin());
  }
  if (!write.left.empty()) {
    auto& first = write.left.front();
    first = {static_cast<const char*>(first.data) + sent, first.size - sent};
    if (status == SY_OK || status == SY_AGAIN) return;
  }
  const auto done = write.done;
  auto* context = write.context;
  const auto written = write.written;
  connection->write.reset();
  done(context, status, written);
}

void FakeLoop::run() {
  this_loop = this;
  for (;;) {
    // Taken before anything else is looked at: what a test did before it posted has happened then.
    const auto posted = take_posts();
    std::vector<std::uint64_t> ids;
    std::vector<pollfd> polled{{wake_, POLLIN, 0}};
    bool cancelled = false;
    for (const auto& [id, connection] : connections_) {
      const int events = (connection->read ? POLLIN : 0) | (connection->write ? POLLOUT : 0);
      cancelled = cancelled || connection->cancelled;
      ids.push_back(id);
      polled.push_back({events != 0 ? connection->socket : -1, static_cast<short>(events), 0});
    }
    ::poll(polled.data(), polled.size(), cancelled || !posted.empty() ? 0 : -1);
    std::uint64_t times = 0;
    if (polled[0].revents != 0) {
      EXPECT_EQ(::read(wake_, &times, sizeof times), static_cast<ssize_t>(sizeof times));
    }
    for (std::size_t at = 0; at < ids.size(); ++at) {
      const auto found = connections_.find(ids[at]);
      if (found == connections_.end()) continue;
      if (polled[at + 1].revents != 0 || found->second->cancelled) {
        complete(ids[at], polled[at + 1].revents);
      }
    }
    fire_timers();
    for (const auto& work : posted)
      work();
    const std::lock_guard lock{mutex_};
    if (ending_ && posts_.empty()) return;
  }
}

} // namespace switchyard::peer
