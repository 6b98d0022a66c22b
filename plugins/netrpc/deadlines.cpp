#include <plugins/netrpc/deadlines.hpp>

#include <boost/assert.hpp>

namespace switchyard::netrpc {

Deadlines::~Deadlines() {
  BOOST_ASSERT(timer_ == nullptr && armed_.empty());
}

void Deadlines::arm(Deadline& deadline, std::chrono::nanoseconds due) {
  disarm(deadline);
  deadline.due_ = static_cast<std::uint64_t>(due.count());
  armed_.insert(deadline);
  start_timer();
}

void Deadlines::disarm(Deadline& deadline) noexcept {
  if (deadline.armed()) armed_.erase(armed_.iterator_to(deadline));
}

void Deadlines::stop() noexcept {
  if (timer_ != nullptr) loops_.stop_timer(host_, timer_);
  timer_ = nullptr;
}

// A timer that is due early enough already is left alone: most deadlines are called off long
// before their time, and a new timer for each would be work for nothing.
void Deadlines::start_timer() {
  if (armed_.empty()) return;
  const auto due = armed_.begin()->due_;
  if (timer_ != nullptr && timer_due_ <= due) return;

  stop();
  timer_due_ = due;
  // A host that has given the plugin up starts none: then nothing is late any more.
  if (loops_.start_timer(host_, due, &Deadlines::fired, this, &timer_) != SY_OK) timer_ = nullptr;
}

void Deadlines::fired(void* self) {
  auto& deadlines = *static_cast<Deadlines*>(self);
  deadlines.timer_ = nullptr;
  const auto now = static_cast<std::uint64_t>(deadlines.now().count());
  while (!deadlines.armed_.empty() && deadlines.armed_.begin()->due_ <= now) {
    auto& deadline = *deadlines.armed_.begin();
    deadlines.disarm(deadline);
    deadline.fire_(deadline.context_);
  }
  deadlines.start_timer();
}

} // namespace switchyard::netrpc
