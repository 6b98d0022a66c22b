#include "guest.hpp"

#include "greeting.hpp"

#include <array>
#include <chrono>
#include <span>
#include <utility>

using namespace std::chrono_literals;
using namespace switchyard;

namespace {

constexpr auto kPatience = 60s; ///< a guest may say nothing, or read nothing
constexpr auto kWaitLimit = 5s;

} // namespace

Guest::Guest(Guests& all, Room& room, const Loops& loops, Connection connection)
    : all_{all},
      room_{room},
      loops_{loops},
      connection_{std::move(connection)},
      patience_{
          loops, [](void* self) { static_cast<Guest*>(self)->end(SY_CLOSE_TIMED_OUT); }, this} {}

void Guest::begin(std::list<Guest>::iterator at) {
  at_ = at;
  talk_ = talk();
  talk_.start(&Guest::ended, this);
}

void Guest::end(sy_close_reason why) noexcept {
  ending_ = true;
  reason_ = why;
  connection_.cancel(); // talk() goes on with SY_CANCELLED, later
}

Task<> Guest::talk() {
  std::array<std::byte, kLineMax> buffer{};
  while (!ending_) {
    if (!first_line(said_).empty()) {
      co_await answer();
    } else if (said_.size() >= kLineMax) { // a line without an end
      end(SY_CLOSE_PROTOCOL_ERROR);
    } else if (room_.closing && said_.empty()) {
      end(SY_CLOSE_DRAINED);
    } else {
      if (patience_.start(loops_.now() + kPatience)) break;
      const auto read = co_await connection_.read_some(buffer);
      if (read.error && !ending_) reason_ = SY_CLOSE_PEER_GONE;
      if (read.error || read.bytes == 0) break;
      said_.append(reinterpret_cast<const char*>(buffer.data()), read.bytes);
    }
  }
  patience_.stop();
  connection_.close(reason_);
}

Task<> Guest::answer() {
  const auto line = first_line(said_);
  const auto text = greeting(line);
  said_.erase(0, line.size());
  if (patience_.start(loops_.now() + kPatience)) co_return end(SY_CLOSE_DRAINED);
  answering_ = true;
  const auto written = co_await connection_.write(std::as_bytes(std::span{text}));
  answering_ = false;
  if (written.error && !ending_) end(SY_CLOSE_PEER_GONE);
}

void Guest::ended(void* self, std::exception_ptr) {
  auto& guest = *static_cast<Guest*>(self);
  auto& all = guest.all_;
  guest.room_.guests.erase(guest.at_); // whatever was thrown, its connection is closed with it
  all.count_down(all.guests_);
}

Guests::Guests(Host host) : loops_{host}, rooms_(loops_.count()) {}

void Guests::enter(Connection connection) {
  auto& room = rooms_[loops_.current()];
  room.guests.emplace_front(*this, room, loops_, std::move(connection));
  {
    const std::lock_guard lock{mutex_};
    ++guests_; // also in a drain: let_finish() comes to this room after it
  }
  room.guests.front().begin(room.guests.begin());
}

void Guests::drain(DrainDone done) {
  {
    const std::lock_guard lock{mutex_};
    draining_ = true;
    drained_ = done;
    ++guests_; // the drain itself, so that it does not end before it has begun
  }
  visit_rooms([](Room& room) {
    room.closing = true;
    for (auto& guest : room.guests) {
      if (guest.idle()) guest.end(SY_CLOSE_DRAINED);
    }
  });
  count_down(guests_);
}

void Guests::abort() {
  visit_rooms([](Room& room) {
    room.closing = true;
    for (auto& guest : room.guests)
      guest.end(SY_CLOSE_DRAINED);
  });
}

void Guests::wait() {
  std::unique_lock lock{mutex_};
  if (!changed_.wait_for(lock, kWaitLimit, [this] { return guests_ + visits_ == 0; }))
    throw Failure{SY_TIMED_OUT, "a connection does not end"};
}

void Guests::visit_rooms(Visit visit) {
  for (std::uint32_t loop = 0; loop < loops_.count(); ++loop) {
    {
      const std::lock_guard lock{mutex_};
      ++visits_;
    }
    const auto not_posted = loops_.post(loop, [this, loop, visit] {
      visit(rooms_[loop]);
      count_down(visits_);
    });
    if (not_posted) count_down(visits_);
  }
}

void Guests::count_down(std::size_t& counted) {
  std::optional<DrainDone> done;
  {
    const std::lock_guard lock{mutex_};
    --counted;
    if (draining_ && guests_ == 0) done = std::exchange(drained_, std::nullopt); // once
    changed_.notify_one();
  }
  if (done) (*done)();
}
