#include <switchyard/bytes.hpp>

#include <plugins/netrpc/connection.hpp>
#include <plugins/netrpc/loop.hpp>

#include <boost/assert.hpp>

namespace switchyard::netrpc {
namespace {

// Reads in one turn, so that a peer with much to say leaves others their share of the loop.
constexpr int kReadsMax = 4;

std::string remote_of(sy_connection* connection) {
  sy_connection_info info{};
  info.struct_size = sizeof info;
  if (connection->api->describe(connection, &info) != SY_OK) return {};
  return info.remote;
}

} // namespace

Connection::Connection(Loop& loop, sy_connection* connection)
    : loop_{loop},
      connection_{connection},
      remote_{remote_of(connection)},
      overdue_{&Connection::overdue, this} {
  loop_.add(*this);
}

Connection::~Connection() {
  loop_.deadlines.disarm(overdue_);
  connection_->api->close(connection_, end_.value_or(SY_CLOSE_INTERNAL));
  loop_.count.publish();
  loop_.remove(*this);
}

void Connection::drain() {
  if (!ending()) begin_drain();
  end_turn();
}

void Connection::abort() {
  end(SY_CLOSE_DRAINED);
  end_turn();
}

void Connection::end(sy_close_reason reason) noexcept {
  if (!end_) end_ = reason;
}

void Connection::finish(sy_close_reason reason) noexcept {
  if (!finish_) finish_ = reason;
}

void Connection::end_turn() {
  if (!end_) flush();
  if (!end_ && finish_) say_goodbye();
  if (!end_) wait_to_read();
  if (end_) {
    delete this;
  } else {
    loop_.count.publish();
  }
}

void Connection::flush() {
  while (writing_.empty() && !end_) {
    const auto bytes = output();
    if (bytes.empty()) return;

    const auto slice = to_c(bytes);
    std::size_t taken = 0;
    const auto status = connection_->api->try_write(connection_, &slice, 1, &taken);
    if (status != SY_OK && status != SY_AGAIN) return lose(status);
    const auto all = taken == bytes.size();
    consume_output(taken);
    if (all) {
      make_progress(); // which may put out more
      continue;
    }

    writing_ = take_output();
    const auto rest = to_c(std::span<const std::byte>{writing_});
    const auto begun = connection_->api->write(connection_, &rest, 1, &Connection::written, this);
    if (begun != SY_OK) return lose(begun);
    loop_.deadlines.arm_after(overdue_, loop_.config.write_timeout);
  }
}

void Connection::written(void* self, sy_status status, std::size_t) {
  auto& connection = *static_cast<Connection*>(self);
  connection.loop_.deadlines.disarm(connection.overdue_);
  connection.writing_ = {};
  if (status == SY_OK) {
    connection.make_progress();
  } else {
    connection.lose(status);
  }
  connection.end_turn();
}

// Closing at once could destroy what the peer has not read yet, if it has sent something meanwhile.
void Connection::say_goodbye() {
  if (queued() > 0) return;
  if (peer_ended_) return end(*finish_);
  if (said_goodbye_) return;

  said_goodbye_ = true;
  if (connection_->api->shutdown_write(connection_) != SY_OK) return end(*finish_);
  loop_.deadlines.arm_after(overdue_, loop_.config.request_timeout);
}

void Connection::overdue(void* self) {
  auto& connection = *static_cast<Connection*>(self);
  connection.end(connection.said_goodbye_ ? *connection.finish_ : SY_CLOSE_TIMED_OUT);
  connection.end_turn();
}

bool Connection::may_read() const {
  if (end_ || peer_ended_) return false;
  return finish_ || takes_input();
}

void Connection::wait_to_read() {
  if (waiting_to_read_ || !may_read()) return;
  const auto status = connection_->api->wait_readable(connection_, &Connection::readable, this);
  if (status != SY_OK) return lose(status);
  waiting_to_read_ = true;
}

void Connection::readable(void* self, sy_status status, std::size_t) {
  auto& connection = *static_cast<Connection*>(self);
  connection.waiting_to_read_ = false;
  if (status == SY_OK) {
    connection.read();
  } else {
    connection.lose(status);
  }
  connection.end_turn();
}

void Connection::read() {
  const auto scratch = loop_.scratch();
  for (int reads = 0; reads < kReadsMax && may_read(); ++reads) {
    std::size_t count = 0;
    const auto status =
        connection_->api->try_read(connection_, scratch.data(), scratch.size(), &count);
    if (status == SY_AGAIN) return;
    if (status != SY_OK) return lose(status);
    if (count == 0) {
      peer_ended_ = true;
      if (!finish_) receive_end();
      return;
    }
    if (!finish_) receive(scratch.first(count));
    if (count < scratch.size()) return;
  }
}

void Connection::lose(sy_status status) noexcept {
  end(status == SY_CLOSED ? SY_CLOSE_PEER_GONE : SY_CLOSE_INTERNAL);
}

} // namespace switchyard::netrpc
