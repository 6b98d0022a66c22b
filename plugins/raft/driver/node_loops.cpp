// What has to happen on a loop: answers, requests, the clock.
#include <plugins/raft/driver/node.hpp>

#include <algorithm>

namespace switchyard::raft {

/// Hands over what waits for the loop this runs on.
void Node::flush(std::uint32_t loop) {
  std::vector<Delivery> deliveries;
  std::vector<Outgoing> outgoing;
  {
    const std::lock_guard lock{mutex_};
    deliveries.swap(deliveries_[loop]);
    if (loop == kHome) outgoing.swap(outgoing_);
  }
  for (auto& delivery : deliveries) {
    if (delivery.receipt != 0) {
      delivery.to->go_ahead(delivery.slot, delivery.receipt);
    } else {
      delivery.to->answered(delivery.slot, std::move(delivery.answer));
    }
  }
  if (!outgoing.empty()) network_.send(std::move(outgoing));
}

void Node::after_turn(Effects& effects) {
  if (effects.wakes_disk) disk_work_.notify_one();
  if (effects.wakes_machine) machine_work_.notify_one();
  for (const auto& finished : effects.finished)
    finished.tell();
  for (const auto& text : effects.violations)
    host_.log(SY_LOG_ERROR, "a peer contradicts what is certain: " + text);

  const auto current = loops_.current();
  std::vector<std::uint32_t> elsewhere;
  bool here = false;
  bool rearm = false;
  {
    const std::lock_guard lock{mutex_};
    if (refusing_) progress_.notify_all();
    if (!core_ || ending_) return;
    for (std::uint32_t loop = 0; loop < deliveries_.size(); ++loop) {
      if (deliveries_[loop].empty() && !(loop == kHome && !outgoing_.empty())) continue;
      if (loop == current) {
        here = true;
      } else if (!flush_posted_[loop]) {
        flush_posted_[loop] = true;
        elsewhere.push_back(loop);
      }
    }
    rearm = core_->next_deadline() < armed_for_;
  }
  for (const auto loop : elsewhere) {
    static_cast<void>(loops_.post(loop, [this, loop] {
      {
        const std::lock_guard lock{mutex_};
        flush_posted_[loop] = false;
      }
      flush(loop);
    }));
  }
  if (here) flush(current);
  if (!rearm) return;
  if (current == kHome) {
    arm();
  } else {
    wake_home();
  }
}

/// Lets home do a turn soon: calls made meanwhile share it.
void Node::wake_home() {
  {
    const std::lock_guard lock{mutex_};
    if (home_posted_ || closed()) return;
    home_posted_ = true;
  }
  post_home();
}

void Node::post_home() {
  static_cast<void>(loops_.post(kHome, [this] { home_turn(); }));
}

void Node::home_turn() {
  turn([this](Core& core, Time time, Effects& effects) {
    home_posted_ = false;
    for (const auto call : std::exchange(new_calls_, {}))
      start_call(call, time, effects);
    calls_.expire(time, effects.finished);
    if (core.next_deadline() <= time) core.advance(time);
  });
  arm();
}

void Node::timer_fired(void* self) {
  static_cast<Node*>(self)->home_turn();
}

/// The timer is never earlier than it need be by much, and never later than the core wants it.
void Node::arm() {
  auto due = network_.advance(now());
  {
    const std::lock_guard lock{mutex_};
    if (closed()) return;
    due = std::min({due, core_->next_deadline(), calls_.next_deadline()});
    if (timer_.running() && armed_for_ <= due && armed_for_ > now()) return;
    armed_for_ = due;
  }
  if (due == Time::max()) return timer_.stop();
  static_cast<void>(timer_.start(std::chrono::nanoseconds{due.time_since_epoch()}));
}

} // namespace switchyard::raft
