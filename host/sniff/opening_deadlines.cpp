#include <host/sniff/opening_deadlines.hpp>

#include <algorithm>
#include <cstdint>
#include <iterator>

namespace switchyard::host {

OpeningDeadlines::OpeningDeadlines(Loop& loop, std::chrono::milliseconds limit)
    : limit_{limit}, timer_{loop.executor()} {}

void OpeningDeadlines::add(Connection& connection) {
  connection.set_opening_deadline(Loop::Clock::now() + limit_);
  auto place = opening_.end(); // the last one, unless the limit has become shorter
  while (place != opening_.begin() &&
         std::prev(place)->opening_deadline() > connection.opening_deadline())
    --place;
  opening_.insert(place, connection);
  if (!armed_ || &opening_.front() == &connection) arm();
}

void OpeningDeadlines::arm() {
  armed_ = true;
  timer_.expires_at(opening_.front().opening_deadline());
  timer_.async_wait([this](boost::system::error_code error) {
    if (error) return; // armed anew, or the loop is going away, and this with it
    armed_ = false;
    const auto now = Loop::Clock::now();
    while (!opening_.empty() && opening_.front().opening_deadline() <= now) {
      auto& connection = opening_.front();
      connection.leave_opening();
      connection.expire();
    }
    if (!opening_.empty()) arm();
  });
}

bool OpeningDeadlines::any_readable() {
  std::uint8_t byte = 0;
  std::size_t transferred = 0;
  return std::any_of(opening_.begin(), opening_.end(), [&](Connection& connection) {
    return connection.tls() == nullptr && connection.peek(&byte, 1, transferred) == SY_OK;
  });
}

void OpeningDeadlines::expire_all() {
  ending_ = true;
  while (!opening_.empty()) {
    auto& connection = opening_.front();
    connection.leave_opening();
    connection.expire();
  }
}

} // namespace switchyard::host
