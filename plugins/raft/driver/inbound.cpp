#include <plugins/raft/driver/inbound.hpp>

namespace switchyard::raft {
namespace {

// What stays allocated of a buffer that has been larger.
constexpr std::size_t kKeptBytes = 512 * 1024;

// Requests that wait for their answer; Go sends 128 ahead at most.
constexpr std::size_t kUnansweredMax = 256;

} // namespace

Inbound::Inbound(
    Node& node, const Loops& loops, const Config& config, Connection connection, Shared& shared)
    : node_{node},
      loops_{loops},
      config_{config},
      loop_{loops.current()},
      connection_{std::move(connection)},
      shared_{shared} {}

void Inbound::start() {
  self_ = shared_from_this();
  shared_.open.insert(self_);
  timer_.emplace(loops_, &Inbound::overdue, this);
  read();
}

void Inbound::end(sy_close_reason reason) {
  if (!connection_) return;
  connection_.close(reason);
  timer_.reset();
  if (body_ && body_->receipt != 0 && !body_->writing) node_.end_snapshot(body_->receipt, false);
  shared_.open.erase(self_);
  const auto keep = std::move(self_); // until this returns
}

/// So much may wait for the disk at once, and nothing behind a snapshot.
bool Inbound::takes_requests() const noexcept {
  if (!asked_.empty() && asked_.back().snapshot) return false;
  return asked_.size() < kUnansweredMax && asked_bytes_ < config_.limits.object.bytes_max;
}

bool Inbound::may_read() const noexcept {
  if (waiting_ || peer_ended_ || proceeding_) return false;
  if (body_) return body_->decided && !body_->writing;
  return takes_requests();
}

void Inbound::readable(void* self, sy_status status, std::size_t) {
  const auto alive = static_cast<Inbound*>(self)->self_;
  alive->waiting_ = false;
  if (status != SY_OK) return alive->end(SY_CLOSE_PEER_GONE);
  alive->read();
}

void Inbound::read() {
  const auto alive = self_;
  while (connection_ && may_read()) {
    auto& scratch = shared_.scratch;
    const auto transfer = connection_.try_read(scratch);
    input_.insert(
        input_.end(),
        scratch.begin(),
        scratch.begin() + static_cast<std::ptrdiff_t>(transfer.bytes));
    if (transfer.error == Status::Again) {
      if (connection_.get()->api->wait_readable(connection_.get(), &Inbound::readable, this) !=
          SY_OK) {
        return end(SY_CLOSE_INTERNAL);
      }
      waiting_ = true;
      break;
    }
    if (transfer.error) return end(SY_CLOSE_PEER_GONE);
    if (transfer.bytes == 0) {
      peer_ended_ = true;
      if (asked_.empty() && output_.empty() && !body_) return end(SY_CLOSE_FINISHED);
      if (body_ || input_.size() > taken_) return end(SY_CLOSE_PEER_GONE);
      break;
    }
    proceed();
  }
  if (connection_) watch();
}

/// Does all that can be done with what has been read.
void Inbound::proceed() {
  if (proceeding_) return; // whoever does goes on with what there is now
  proceeding_ = true;
  while (connection_) {
    if (body_ && !take_body()) break;
    const auto before = taken_;
    if (connection_ && !body_) take_requests();
    if (!body_ && taken_ == before) break;
  }
  proceeding_ = false;
  if (taken_ == input_.size()) {
    input_.clear();
    taken_ = 0;
    if (input_.capacity() > kKeptBytes) input_.shrink_to_fit();
  } else if (taken_ > kKeptBytes) {
    input_.erase(input_.begin(), input_.begin() + static_cast<std::ptrdiff_t>(taken_));
    taken_ = 0;
  }
}

void Inbound::take_requests() {
  std::vector<Incoming> requests;
  while (takes_requests() && taken_ < input_.size() && !body_) {
    if (!extent_) extent_.emplace(config_.limits);
    const auto frame = extent_->scan(std::span{input_}.subspan(taken_));
    if (!frame) return end(SY_CLOSE_PROTOCOL_ERROR);
    if (!*frame) break;
    auto request = (*frame)->decode(config_.limits);
    if (!request) return end(SY_CLOSE_PROTOCOL_ERROR);
    extent_.reset();
    taken_ += (*frame)->size;
    const auto slot = first_slot_ + asked_.size();
    const auto* snapshot = std::get_if<raftwire::InstallSnapshotRequest>(&*request);
    asked_.push_back({(*frame)->size, snapshot != nullptr});
    asked_bytes_ += (*frame)->size;
    if (snapshot != nullptr) {
      body_.emplace(Body{slot, static_cast<std::uint64_t>(snapshot->size)});
    }
    requests.push_back({self_, slot, std::move(*request)});
  }
  if (!requests.empty()) node_.receive(std::move(requests));
}

/// True once the bytes are behind us.
bool Inbound::take_body() {
  auto& body = *body_;
  if (!body.decided || body.writing) return false;
  const auto part = std::min<std::uint64_t>(body.left, input_.size() - taken_);
  const auto bytes = std::span{input_}.subspan(taken_, part);
  if (part > 0 && body.receipt != 0) {
    body.writing = true;
    node_.receive_snapshot(
        body.receipt, {bytes.begin(), bytes.end()}, [alive = shared_from_this()] {
          static_cast<void>(alive->loops_.post(alive->loop_, [alive] {
            if (!alive->body_) return;
            alive->body_->writing = false;
            if (!alive->connection_) return alive->node_.end_snapshot(alive->body_->receipt, false);
            alive->proceed();
            alive->read();
          }));
        });
  }
  taken_ += part;
  body.left -= part;
  if (body.left > 0 || body.writing) return false;
  const auto done = std::move(body);
  body_.reset();
  if (done.receipt != 0) {
    node_.end_snapshot(done.receipt, true);
  } else {
    answered(done.slot, done.answer);
  }
  return true;
}

void Inbound::go_ahead(std::uint64_t slot, std::uint64_t receipt) {
  if (!connection_ || !body_ || body_->slot != slot) return node_.end_snapshot(receipt, false);
  body_->decided = true;
  body_->receipt = receipt;
  const auto alive = self_;
  proceed();
  read();
}

void Inbound::answered(std::uint64_t slot, Bytes answer) {
  if (!connection_) return;
  const auto alive = self_;
  if (body_ && body_->slot == slot && !body_->decided) {
    body_->decided = true; // refused, and its bytes are dropped first
    body_->answer = std::move(answer);
    proceed();
    return read();
  }
  if (slot < first_slot_ || slot - first_slot_ >= asked_.size()) return;
  asked_[slot - first_slot_].answer = std::move(answer);
  if (slot == first_slot_) write();
}

void Inbound::write() {
  const bool full = !takes_requests();
  while (!writing_) {
    for (; !asked_.empty() && asked_.front().answer; ++first_slot_) {
      const auto& answer = *asked_.front().answer;
      output_.insert(output_.end(), answer.begin(), answer.end());
      asked_bytes_ -= asked_.front().size;
      asked_.pop_front();
    }
    if (output_.empty()) break;
    const auto transfer = connection_.try_write(output_);
    if (transfer.error && transfer.error != Status::Again) return end(SY_CLOSE_PEER_GONE);
    output_.erase(output_.begin(), output_.begin() + static_cast<std::ptrdiff_t>(transfer.bytes));
    if (output_.empty()) continue;
    const auto slice = to_c(std::span<const std::byte>{output_});
    if (connection_.get()->api->write(connection_.get(), &slice, 1, &Inbound::written, this) !=
        SY_OK) {
      return end(SY_CLOSE_INTERNAL);
    }
    writing_ = true;
    watch();
  }
  if (peer_ended_ && asked_.empty() && output_.empty()) return end(SY_CLOSE_FINISHED);
  if (full && !body_ && !proceeding_) {
    proceed();
    if (connection_) read();
  }
}

void Inbound::written(void* self, sy_status status, std::size_t) {
  const auto alive = static_cast<Inbound*>(self)->self_;
  alive->writing_ = false;
  alive->output_.clear();
  if (status != SY_OK) return alive->end(SY_CLOSE_PEER_GONE);
  alive->write();
  if (alive->connection_) alive->watch();
}

/// Between requests a peer may be silent for ever; not within one, nor while it does not read.
void Inbound::watch() {
  const bool within = input_.size() > taken_ || (body_ && body_->decided && !body_->writing);
  if (writing_ || (within && waiting_)) {
    static_cast<void>(timer_->start(loops_.now() + config_.io_timeout));
  } else {
    timer_->stop();
  }
}

void Inbound::overdue(void* self) {
  static_cast<Inbound*>(self)->end(SY_CLOSE_TIMED_OUT);
}

} // namespace switchyard::raft
