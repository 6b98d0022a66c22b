#include "reply.hpp"

#include <boost/assert.hpp>

#include <utility>

namespace switchyard::host {

namespace {

constexpr std::size_t kLinesMax = 64;

} // namespace

void ControlReply::say(boost::json::object line) const {
  BOOST_ASSERT(line.contains("phase") && !state_->ended);
  if (state_->abandoned || state_->lines.size() >= kLinesMax) return;
  state_->lines.push_back(std::move(line));
  if (state_->news) state_->news();
}

std::deque<boost::json::object> ControlReply::fetch() const {
  return std::exchange(state_->lines, {});
}

void ControlReply::end(boost::json::object answer) const {
  BOOST_ASSERT(!state_->ended);
  state_->ended = true;
  state_->lines.push_back(std::move(answer));
  if (state_->news) state_->news();
}

} // namespace switchyard::host
