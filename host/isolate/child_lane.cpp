#include <host/connection/plugin_place.hpp>
#include <host/crash/boundary.hpp>
#include <host/isolate/child_lane.hpp>

#include <cstdlib>
#include <fcntl.h>
#include <utility>

namespace switchyard::host {
namespace {

/// Numbers of connections that begin here (dialled, adopted) are above those of the host.
constexpr std::uint64_t kNumbersHere = std::uint64_t{1} << 47;

bool is_passed(std::uint64_t id) noexcept {
  return (id & kNumbersHere) == 0;
}

} // namespace

ChildLane::ChildLane(LoopStages& loop, FileDescriptor channel)
    : loop_{loop},
      channel_{std::move(channel)},
      readable_{loop.loop.executor(), ::fcntl(channel_.descriptor(), F_DUPFD_CLOEXEC, 0)} {
  loop_.connections.number_behind(kNumbersHere);
  loop_.connections.on_end([this](std::uint64_t id, CloseReason reason) {
    if (is_passed(id)) tell(PassedEnded{id, reason});
  });
}

void ChildLane::serve(const ServedCode& code) {
  code_ = &code;
  wait();
}

void ChildLane::wait() {
  if (waiting_ || !untold_.empty()) return; // push() comes back
  waiting_ = true;
  readable_.async_wait(Descriptor::wait_read, [this](boost::system::error_code error) {
    if (error) return; // the loop is going away, and this with it
    waiting_ = false;
    take_all();
    wait();
  });
}

void ChildLane::take_all() {
  // While the host has not been told of one, it would give that one to another process as well.
  while (code_ != nullptr && untold_.empty()) {
    if (untaken_) {
      auto next = *std::move(untaken_);
      untaken_.reset();
      take(next.passed, std::move(next.socket));
      continue;
    }
    auto received = channel_.receive();
    if (received.heard == Channel::Heard::Nothing) return;
    const auto* passed = std::get_if<Passed>(&received.message);
    // A host that has gone, or that is none: the main thread sees it as well, but this loop would
    // not rest until then.
    if (received.heard != Channel::Heard::Whole || passed == nullptr) std::_Exit(EXIT_FAILURE);
    untaken_.emplace(Untaken{*passed, std::move(received.descriptor)});
    tell(Taken{});
  }
}

void ChildLane::take(const Passed& passed, FileDescriptor socket) {
  if (!socket.open() || passed.protocol >= code_->manifest.protocols.size())
    return tell(PassedEnded{passed.id, CloseReason::AtCapacity}); // no descriptor was left for it
  const auto opened =
      Connection::open(loop_.connections, std::move(socket).release(), {}, passed.id);
  if (!opened) return tell(PassedEnded{passed.id, CloseReason::AtCapacity});
  auto& connection = **opened;
  auto place = take_place(code_->services);
  if (!place) return connection.close(CloseReason::Drained);
  connection.route_to(
      std::move(place), code_->manifest.protocols[passed.protocol].name, passed.tag);
  connection.set_listener(*listeners_.insert(passed.listener).first);
  if (passed.tls) {
    connection.secured_elsewhere(
        {passed.alpn, passed.server_name, passed.peer_names, passed.remote, passed.local});
  }
  if (hand_over(passed, connection) == SY_OK) return;
  connection.leave_plugin();
  connection.close(CloseReason::Refused);
}

/// As the host does it in its own process.
sy_status ChildLane::hand_over(const Passed& passed, Connection& connection) {
  const auto& api = code_->api;
  const auto mode = code_->manifest.protocols[passed.protocol].mode;
  if (mode != ServeMode::Descriptor || passed.tls) {
    const BoundaryCrossed crossed{"serve()", code_->services.plugin};
    return api.serve(code_->instance, passed.protocol, &connection);
  }
  const BoundaryCrossed crossed{"serve_descriptor()", code_->services.plugin};
  const Connection::Ptr kept{&connection}; // detach() gives up the reference of whoever serves it
  sy_descriptor descriptor{};
  descriptor.struct_size = sizeof descriptor;
  if (const auto status = connection.detach(descriptor); status != SY_OK) return status;
  const auto status = api.serve_descriptor(code_->instance, passed.protocol, &descriptor);
  if (status != SY_OK) connection.take_back(descriptor);
  return status;
}

void ChildLane::tell(const Message& message) {
  untold_.push_back(message);
  if (untold_.size() == 1) push();
}

/// As much as the host takes; there are two for each connection at most.
void ChildLane::push() {
  while (!untold_.empty()) {
    const auto sent = channel_.send(untold_.front());
    if (sent == Channel::Sent::Never) return untold_.clear();
    if (sent == Channel::Sent::Later) {
      readable_.async_wait(Descriptor::wait_write, [this](boost::system::error_code error) {
        if (error) return;
        push();
        take_all();
        wait();
      });
      return;
    }
    untold_.pop_front();
  }
}

} // namespace switchyard::host
