#include <host/sniff/opening_deadlines.hpp>

#include <algorithm>
#include <cstdint>

namespace switchyard::host {

OpeningDeadlines::OpeningDeadlines(Loop& loop, std::chrono::milliseconds limit)
    : limit_{limit}, timer_{loop.executor()} {}

void OpeningDeadlines::add(Connection& connection) {
  connection.set_opening_deadline(Loop::Clock::now() + limit_);
  opening_.push_back(connection);
  if (!armed_) arm();
}

void OpeningDeadlines::arm() {
  armed_ = true;
  timer_.expires_at(opening_.front().opening_deadline());
  timer_.async_wait([this](boost::system::error_code error) {
    if (error) return; // the loop is going away, and this with it
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
