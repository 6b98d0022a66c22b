#include <host/isolate/lane.hpp>
#include <host/services/instance_services.hpp>

#include <sys/socket.h>

#include <array>
#include <fcntl.h>
#include <string>
#include <utility>

namespace switchyard::host {
namespace {

/// One side of a connection under TLS has ended; the other may still go on for so long without a
/// byte.
constexpr std::chrono::nanoseconds kLinger = std::chrono::seconds{60};

std::string text(sy_string from) {
  return {from.data == nullptr ? "" : from.data, from.size};
}

Passed describe(const Connection& connection, std::uint32_t protocol) {
  sy_connection_info info{};
  info.struct_size = sizeof info;
  connection.describe(info);
  return {
      .id = info.id,
      .protocol = protocol,
      .tag = info.tag,
      .tls = info.tls != 0,
      .listener = text(info.listener),
      .alpn = text(info.alpn),
      .server_name = text(info.server_name),
      .peer_names = text(info.peer_names),
      .remote = info.remote,
      .local = info.local};
}

} // namespace

Lane::Lane(
    ConnectionOwner& owner,
    InstanceServices& services,
    std::chrono::milliseconds patience,
    std::function<void()> fault)
    : owner_{owner},
      services_{services},
      patience_{patience},
      fault_{std::move(fault)},
      patience_over_{owner.loop().executor()} {}

void Lane::open(Channel channel) {
  channel_.emplace(std::move(channel));
  // The reactor's own number of it: it closes what it is given.
  const int duplicate = ::fcntl(channel_->descriptor(), F_DUPFD_CLOEXEC, 0);
  readable_ = std::make_unique<Descriptor>(owner_.loop().executor());
  boost::system::error_code error;
  if (duplicate >= 0) readable_->assign(duplicate, error);
  if (duplicate < 0 || error) {
    if (duplicate >= 0) ::close(duplicate);
    fault_();
    return;
  }
  ++opened_;
  pushing_ = false;
  listen();
  send_waiting();
}

void Lane::cut(CloseReason reason) {
  if (channel_) static_cast<void>(hear()); // what it has said of connections before its end
  channel_.reset();
  readable_.reset();
  for (auto& [id, holdings] : std::exchange(passed_, {})) {
    if (reason == CloseReason::Internal) count_error(services_, id);
    holdings = {};
    owner_.ended_elsewhere(id, reason);
  }
  for (auto& [id, carried] : std::exchange(carried_, {}))
    sy_pump_stop(carried->pump, static_cast<sy_close_reason>(reason));
  while (!sent_.empty()) { // the process has not seen them
    sent_.back().until = Loop::Clock::now() + patience_;
    waiting_.push_front(std::move(sent_.back()));
    sent_.pop_back();
  }
  expire();
}

void Lane::close_waiting() {
  for (const auto& waiting : std::exchange(waiting_, {}))
    waiting.connection->close(CloseReason::Drained);
  patience_over_.cancel();
}

void Lane::close() {
  cut(CloseReason::Drained);
  close_waiting();
}

sy_status Lane::take(std::uint32_t protocol, Connection& connection) {
  Waiting taken{&connection, describe(connection, protocol), Loop::Clock::now() + patience_};
  // Of names that were verified none may be cut short: it would be another one.
  if (taken.passed.peer_names.size() > kTextMax) return SY_LIMIT;
  if (waiting_.size() >= kWaitingMax) return SY_BUSY;
  waiting_.push_back(std::move(taken));
  if (channel_ && !pushing_) send_waiting();
  if (waiting_.size() == 1) expire();
  return SY_OK;
}

/// Sends the connections that wait, in their order, for as long as the process takes them.
void Lane::send_waiting() {
  while (channel_ && !waiting_.empty()) {
    const auto sent = send(waiting_.front());
    // The process has gone, which is told elsewhere, or too many sockets are on their way
    // (unix(7), ETOOMANYREFS): the next connection tries again.
    if (sent == Channel::Sent::Never) return;
    if (sent == Channel::Sent::Later) {
      pushing_ = true;
      readable_->async_wait(
          Descriptor::wait_write,
          [self = shared_from_this(), opened = opened_](boost::system::error_code error) {
            if (error || self->opened_ != opened || !self->channel_) return;
            self->pushing_ = false;
            self->send_waiting();
          });
      return;
    }
    sent_.push_back(std::move(waiting_.front()));
    waiting_.pop_front();
  }
}

/// Sends the socket, or, where TLS stays here, one end of a pair for the clear bytes.
Channel::Sent Lane::send(Waiting& waiting) const {
  if (!waiting.passed.tls) return channel_->send(waiting.passed, waiting.connection->socket());
  std::array<int, 2> ends{-1, -1};
  if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, ends.data()) != 0)
    return channel_->send(waiting.passed); // which is answered as one that could not be received
  waiting.inner = FileDescriptor{ends[0]};
  const FileDescriptor theirs{ends[1]};
  return channel_->send(waiting.passed, theirs.get());
}

/// From here on the process has it.
void Lane::taken(Waiting sent) {
  if (sent.passed.tls) return carry(std::move(sent));
  passed_.emplace(sent.passed.id, sent.connection->go_elsewhere());
}

/// Copies between the wire, whose TLS stays here, and the process.
void Lane::carry(Waiting sent) {
  if (!sent.inner.open()) return refuse(*sent.connection);
  const auto inner = Connection::open(owner_, std::move(sent.inner).release(), {});
  if (!inner) return refuse(*sent.connection);
  (*inner)->set_within_process(); // as if: the other end is not far
  auto carried = std::make_unique<Carried>(Carried{*this, sent.passed.id, nullptr});
  const auto done = [](void* context) {
    const auto& ended = *static_cast<Carried*>(context);
    ended.lane.carried_.erase(ended.id);
  };
  const auto started = sy_pump_start(
      &services_.host,
      sent.connection,
      *inner,
      static_cast<std::uint64_t>(kLinger.count()),
      done,
      carried.get(),
      &carried->pump);
  if (started == SY_OK) carried_.emplace(sent.passed.id, std::move(carried));
}

void Lane::ended(const PassedEnded& ended) {
  const auto failed = ended.reason == CloseReason::Internal || ended.reason == CloseReason::Refused;
  const auto held = passed_.extract(ended.id); // its place goes with it
  if (held.empty()) {                          // one that is carried: its end is seen on the wire
    if (failed && carried_.contains(ended.id)) count_error(services_, ended.id);
    return;
  }
  if (failed) count_error(services_, ended.id);
  owner_.ended_elsewhere(ended.id, ended.reason);
}

void Lane::refuse(Connection& connection) {
  count_error(services_, connection.id());
  connection.close(CloseReason::Refused);
}

/// Closes those that have waited for too long, and comes back for the next one.
void Lane::expire() {
  while (!waiting_.empty() && waiting_.front().until <= Loop::Clock::now()) {
    refuse(*waiting_.front().connection);
    waiting_.pop_front();
  }
  if (waiting_.empty()) return;
  patience_over_.expires_at(waiting_.front().until);
  patience_over_.async_wait([self = shared_from_this()](boost::system::error_code cancelled) {
    if (!cancelled) self->expire();
  });
}

void Lane::listen() {
  readable_->async_wait(
      Descriptor::wait_read,
      [self = shared_from_this(), opened = opened_](boost::system::error_code error) {
        if (error || self->opened_ != opened || !self->channel_) return;
        switch (self->hear()) {
        case Channel::Heard::Nothing: return self->listen();
        case Channel::Heard::Fault: return self->fault_();
        default: return; // the process has gone, which is told elsewhere
        }
      });
}

/// Takes everything that is there; how that ended.
Channel::Heard Lane::hear() {
  for (;;) {
    const auto received = channel_->receive();
    if (received.heard != Channel::Heard::Whole) return received.heard;
    if (const auto* end = std::get_if<PassedEnded>(&received.message)) {
      ended(*end);
    } else if (std::holds_alternative<Taken>(received.message) && !sent_.empty()) {
      auto first = std::move(sent_.front());
      sent_.pop_front();
      taken(std::move(first));
    } else {
      return Channel::Heard::Fault;
    }
  }
}

} // namespace switchyard::host
