#include "yamux_peer.hpp"

#include <gtest/gtest.h>

namespace switchyard::netrpc::test {

std::uint32_t YamuxPeer::open(std::string_view bytes) {
  const auto stream = session_.open().value();
  send(stream, bytes);
  return stream;
}

void YamuxPeer::send(std::uint32_t stream, std::string_view bytes) {
  const auto wire = std::as_bytes(std::span{bytes});
  EXPECT_EQ(session_.write(stream, wire), wire.size());
  flush();
}

void YamuxPeer::finish(std::uint32_t stream) {
  session_.finish(stream);
  flush();
}

void YamuxPeer::reset(std::uint32_t stream) {
  session_.reset(stream);
  flush();
}

void YamuxPeer::go_away() {
  session_.go_away(yamux::GoAwayCode::Normal);
  flush();
}

std::string YamuxPeer::receive(std::uint32_t stream, std::size_t size) {
  auto& received = streams_[stream].received;
  EXPECT_TRUE(read_until([&] { return received.size() >= size; }));
  auto bytes = received.substr(0, size);
  received.erase(0, size);
  return bytes;
}

std::string YamuxPeer::receive_all(std::uint32_t stream) {
  auto& state = streams_[stream];
  read_until([&] { return state.finished || state.reset; });
  return std::exchange(state.received, {});
}

bool YamuxPeer::read() {
  std::byte chunk[65536];
  const auto got = ::recv(socket_.get(), chunk, sizeof chunk, 0);
  if (got <= 0) return false;
  const auto done = session_.receive(std::span{chunk}.first(static_cast<std::size_t>(got)), *this);
  EXPECT_TRUE(done) << done.error().message();
  flush();
  return true;
}

bool YamuxPeer::read_until(const std::function<bool()>& done) {
  while (!done()) {
    if (!read()) return false;
  }
  return true;
}

void YamuxPeer::on_open(std::uint32_t stream) {
  EXPECT_EQ(role_, yamux::Role::Server) << "a server opens nothing";
  session_.accept(stream);
}

void YamuxPeer::on_data(std::uint32_t stream, std::span<const std::byte> bytes) {
  streams_[stream].received.append(reinterpret_cast<const char*>(bytes.data()), bytes.size());
  if (!miserly) session_.consumed(stream, bytes.size());
}

void YamuxPeer::flush() {
  const auto wire = session_.take_output();
  socket_.send({reinterpret_cast<const char*>(wire.data()), wire.size()});
}

} // namespace switchyard::netrpc::test
