#include <plugins/netrpc/loop.hpp>
#include <plugins/netrpc/single_connection.hpp>

#include <algorithm>
#include <utility>

namespace switchyard::netrpc {
namespace {

// Behind a request that is not done with so much is read, to notice a peer that goes; the rest
// stays in the kernel.
constexpr std::ptrdiff_t kReadAheadMax = 64 * 1024;

} // namespace

SingleConnection::SingleConnection(Loop& loop, sy_connection* connection, Audience audience)
    : Connection{loop, connection},
      late_{&SingleConnection::late, this},
      conversation_{loop, *this, 0, audience} {
  ++loop.count.streams;
}

SingleConnection::~SingleConnection() {
  loop().deadlines.disarm(late_);
  --loop().count.streams;
}

void SingleConnection::receive(std::span<const std::byte> bytes) {
  conversation_.receive(bytes);
  finish_if_over();
}

void SingleConnection::receive_end() {
  conversation_.receive_end();
  finish_if_over();
}

void SingleConnection::begin_drain() {
  conversation_.drain();
  finish_if_over();
  if (!ending()) loop().deadlines.arm_after(late_, Conversation::kLate);
}

void SingleConnection::late(void* self) {
  auto& connection = *static_cast<SingleConnection*>(self);
  connection.conversation_.end_unused();
  if (!connection.ending()) connection.finish_if_over();
  connection.end_turn();
}

void SingleConnection::consume_output(std::size_t count) {
  if (count == output_.size()) {
    output_ = {};
  } else {
    output_.erase(output_.begin(), output_.begin() + static_cast<std::ptrdiff_t>(count));
  }
}

std::vector<std::byte> SingleConnection::take_output() {
  return std::exchange(output_, {});
}

void SingleConnection::make_progress() {
  if (!std::exchange(waits_for_room_, false)) return;
  conversation_.write_on();
  finish_if_over();
}

bool SingleConnection::takes_input() const {
  return !conversation_.held_up() || held_input_ < kReadAheadMax;
}

std::size_t SingleConnection::write(std::uint32_t, std::span<const std::byte> bytes) {
  const auto count = std::min(bytes.size(), kQueuedBytesMax - std::min(kQueuedBytesMax, queued()));
  output_.insert(output_.end(), bytes.begin(), bytes.begin() + static_cast<std::ptrdiff_t>(count));
  waits_for_room_ = waits_for_room_ || count < bytes.size();
  return count;
}

// One answer that does not fit holds up the next request by itself: they are one stream.
bool SingleConnection::may_begin() {
  return !ending();
}

void SingleConnection::hold(std::ptrdiff_t input, std::ptrdiff_t) {
  held_input_ += input;
}

void SingleConnection::settle(Conversation&) {
  finish_if_over();
  end_turn();
}

void SingleConnection::time_out(Conversation&) {
  end(SY_CLOSE_TIMED_OUT);
  end_turn();
}

void SingleConnection::finish_if_over() {
  if (conversation_.over()) finish(loop().draining() ? SY_CLOSE_DRAINED : SY_CLOSE_FINISHED);
}

} // namespace switchyard::netrpc
