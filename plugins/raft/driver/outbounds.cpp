#include <plugins/raft/driver/outbounds.hpp>

#include <algorithm>

namespace switchyard::raft {

void Outbounds::send(std::vector<Outgoing> requests) {
  for (auto& request : requests) {
    if (closed_) return; // nobody asks what has become of it
    const auto lane = lane_of(request.message);
    auto& outbound = open_[{request.address, lane}];
    if (!outbound) outbound = std::make_unique<Outbound>(*this, request.address, lane);
    outbound->push(std::move(request));
  }
}

Time Outbounds::advance(Time now) {
  auto next = Time::max();
  if (closed_) return next;
  for (auto& [key, outbound] : open_)
    outbound->advance(now);
  for (auto& [key, outbound] : open_)
    next = std::min(next, outbound->next_deadline());
  return next;
}

void Outbounds::close() {
  closed_ = true;
  for (auto& [key, outbound] : open_)
    outbound->fail(SY_CLOSE_DRAINED);
}

} // namespace switchyard::raft
